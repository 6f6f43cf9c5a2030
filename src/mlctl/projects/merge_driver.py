"""git's merge driver for `dvc.lock`: which files it is for is committed, the command is local.

A clone that lacks the command merges as text, and `mlctl run` mends what conflicts.
"""

from __future__ import annotations

from pathlib import Path

from mlctl.adapters import files
from mlctl.adapters.git import git

ATTRIBUTES = ".gitattributes"
NAME = "dvc-lock"
LINE = f"dvc.lock merge={NAME}\n"
# Where mlctl is not on PATH, or cannot merge it, git's text merge leaves its markers.
COMMAND = "mlctl merge-lock %O %A %B %P || git merge-file -L ours -L base -L theirs %A %O %B"


def attribute(root: Path) -> str | None:
    """The merge driver that git's attributes name for `dvc.lock` in `root`, None without one."""
    said = git("check-attr", "-z", "merge", "--", "dvc.lock", cwd=root, check=False).stdout
    value = said.split("\0")[2] if said.count("\0") >= 3 else "unspecified"
    return None if value == "unspecified" else value


def add_line(root: Path) -> bool:
    """Name the driver in the attributes of `root`, after what stands there; False where it is
    named already, or another one is.
    """
    if attribute(root) is not None:
        return False
    path = root / ATTRIBUTES
    text = path.read_bytes() if path.exists() else b""
    ending = b"\r\n" if b"\r\n" in text else b"\n"
    gap = b"" if not text or text.endswith(b"\n") else ending
    files.write_bytes(path, text + gap + LINE.encode().replace(b"\n", ending))
    return True


def configure(root: Path) -> None:
    """Tell this clone's git the command."""
    git("config", f"merge.{NAME}.name", "dvc.lock, stage by stage", cwd=root)
    git("config", f"merge.{NAME}.driver", COMMAND, cwd=root)
