"""Copies of one project, one for stock DVC and the rest for mlctl, and what must be equal."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mlctl.cli import main as mlctl_main


class Twins:
    """`dvc` and `ours` begin equal; every edit is made to both, and to `wide` where there is one.

    `wide` is a second copy of ours, for many jobs at once.
    """

    def __init__(self, folder: Path, *, config: str = "", wide: bool = False) -> None:
        self.dvc, self.ours = folder / "dvc" / "p", folder / "ours" / "p"
        self.wide = folder / "wide" / "p" if wide else None
        self.dvc.mkdir(parents=True)
        subprocess.run(["git", "init", "-q"], cwd=self.dvc, check=True)
        (self.dvc / ".dvc").mkdir()
        (self.dvc / ".dvc" / "config").write_text(config)
        (self.dvc / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
        for root in self.all[1:]:
            shutil.copytree(self.dvc, root, symlinks=True)

    @property
    def both(self) -> tuple[Path, Path]:
        return self.dvc, self.ours

    @property
    def all(self) -> tuple[Path, ...]:
        return self.both if self.wide is None else (*self.both, self.wide)

    def write(self, path: str, text: str | bytes, *, mode: int | None = None) -> None:
        """Write one file in both; what is there is replaced, not written through a link."""
        for root in self.all:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                target.unlink()
            target.write_bytes(text.encode() if isinstance(text, str) else text)
            if mode is not None:
                target.chmod(mode)

    def edit(self, change: Callable[[Path], None]) -> None:
        for root in self.all:
            change(root)

    def remove(self, path: str) -> None:
        def change(root: Path) -> None:
            target = root / path
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

        self.edit(change)

    def add(self, *paths: str) -> None:
        """`dvc add` in all, by DVC."""
        for root in self.all:
            assert run_dvc(root, "add", "-q", *paths)[0] == 0

    def run(self, *args: str, jobs: int = 4, ours: Sequence[str] = ()) -> tuple[int, int]:
        """`dvc repro ARGS` in one and `mlctl run -jN ARGS` in the other; both exit codes."""
        theirs, said = run_dvc(self.dvc, "repro", *args)
        code, told = run_mlctl(self.ours, "run", f"-j{jobs}", *args, *ours)
        self.said, self.told = said, told
        return theirs, code

    def run_wide(self, verb: str, *args: str, code: int) -> None:
        """The same in `wide`, which then is as `ours` is."""
        assert self.wide is not None
        found, told = run_mlctl(self.wide, verb, *args)
        assert found == code, (found, code, told)
        mine, wide = snapshot(self.ours), snapshot(self.wide)
        different = {p for p in mine.keys() | wide.keys() if mine.get(p) != wide.get(p)}
        shown = [(p, mine.get(p), wide.get(p)) for p in sorted(different)[:3]]
        assert not different, f"{different} {shown}\n--- mlctl said with many jobs\n{told}"

    def assert_equal(self) -> None:
        """Locks, pointers, ignore files, workspace, cache and run-cache are the same bytes."""
        theirs, mine = snapshot(self.dvc), snapshot(self.ours)
        report = f"\n--- dvc said\n{self.said}\n--- mlctl said\n{self.told}"
        # What .dvcignore names in an out is left alone by us where DVC deletes the whole out.
        only_theirs = {p for p in theirs.keys() - mine.keys() if not p.endswith(".tmp")}
        only_mine = {p for p in mine.keys() - theirs.keys() if not p.endswith(".tmp")}
        assert not only_theirs, f"{only_theirs} DVC has, and mlctl has not{report}"
        assert not only_mine, f"{only_mine} mlctl has, and DVC has not{report}"
        different = [path for path in theirs.keys() & mine.keys() if theirs[path] != mine[path]]
        shown = {path: (theirs[path], mine[path]) for path in different[:3]}
        assert not different, f"{shown}{report}"

    def assert_at_rest(self) -> None:
        """Each finds nothing to do after the other."""
        assert dvc_status(self.ours) == {}
        assert changed_stages(self.dvc) == set()
        lock = snapshot(self.ours)
        code, said = run_dvc(self.ours, "repro", "-P")
        assert code == 0, said
        assert "Running" not in said, said
        code, told = run_mlctl(self.dvc, "run", "-P")
        assert code == 0, told
        assert "up to date" in told, told
        assert snapshot(self.ours) == lock


def run_dvc(root: Path, *args: str) -> tuple[int, str]:
    """DVC's own command line, in this process: each start of it costs half a second."""
    from dvc.cli import main

    def call() -> int:
        for handler in logging.getLogger("dvc").handlers:  # it holds the stream of its import
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(sys.stdout)
        return main(list(args))

    return _captured(root, call)


def run_mlctl(root: Path, *args: str) -> tuple[int, str]:
    return _captured(root, lambda: mlctl_main.run(list(args)))


def dvc_status(root: Path) -> dict[str, object]:
    """What `dvc status --json` says, by stage."""
    code, said = run_dvc(root, "status", "--json")
    assert code == 0, said
    return json.loads(said[said.index("{") :])


def changed_stages(root: Path) -> set[str]:
    """The stages that `mlctl status --json` calls changed."""
    code, told = run_mlctl(root, "status", "--json")
    assert code == 0, told
    return {step["stage"] for step in json.loads(told)["steps"] if step["changed"]}


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file but git's and mlctl's own, beside the project too: its bytes and owner's mode."""
    found = {}
    for folder, folders, files in os.walk(root.parent):
        relative = os.path.relpath(folder, root)
        folders[:] = [f for f in folders if not _skipped(relative, f)]
        for name in files:
            path = Path(folder, name)
            key = os.path.normpath(os.path.join(relative, name))
            found[key] = (path.read_bytes(), path.stat().st_mode & 0o300)
    return found


def _skipped(folder: str, name: str) -> bool:
    if folder == ".":
        return name in {".git", ".mlctl", "runs"}
    return folder == ".dvc" and name == "tmp"


def _captured(root: Path, call: Callable[[], int]) -> tuple[int, str]:
    out = io.StringIO()
    before = os.getcwd()
    os.chdir(root)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = call()
    finally:
        os.chdir(before)
    return code, out.getvalue()
