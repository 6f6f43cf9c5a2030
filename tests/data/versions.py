"""Two work trees with one remote, and stock DVC beside them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from conformance.twins import run_mlctl
from mlctl.adapters.dvc import dvc


class Repo:
    """A git and DVC repository; `mlctl` runs in this process."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def make(cls, root: Path) -> Repo:
        root.mkdir(parents=True)
        repo = cls(root)
        repo.git("init", "-q")
        dvc("init", "-q", cwd=root)
        return repo

    def clone(self, root: Path) -> Repo:
        """A clone of what is committed; what git ignores is not in it."""
        self.git("clone", "-q", ".", str(root))
        local = self.root / ".dvc" / "config.local"
        if local.exists():
            (root / ".dvc" / "config.local").write_bytes(local.read_bytes())
        return Repo(root)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def mlctl(self, *args: str, code: int = 0) -> str:
        """What `mlctl data ARGS` says; it must end with `code`."""
        ended, said = run_mlctl(self.root, "data", *args)
        assert ended == code, said
        return said

    def json(self, *args: str, code: int = 0) -> Any:
        return json.loads(self.mlctl(*args, "--json", code=code))

    def dvc(self, *args: str) -> str:
        return dvc(*args, cwd=self.root).stdout

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "state")

    def object(self, md5: str) -> Path:
        """Where an object lies in the cache."""
        return self.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]

    def is_clean(self) -> bool:
        """Whether stock DVC finds nothing changed."""
        return "up to date" in self.dvc("status")

    def everything(self) -> dict[str, bytes]:
        """All files but git's own, locks and our state."""
        found = {}
        for top, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in {".git", "tmp", ".mlctl"}]
            for name in files:
                path = Path(top, name)
                found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found


def objects(top: Path) -> set[str]:
    """The objects of a cache or a folder remote."""
    return {p.parent.name + p.name for p in (top / "files" / "md5").glob("??/*")}


def filled(root: Path, url: str) -> Repo:
    """A file, a folder and an out of a stage, all committed, and the remote `store` at `url`."""
    repo = Repo.make(root)
    repo.write("raw.csv", "a,b\n1,2\n")
    for name in ("x", "y", "sub/z"):
        repo.write(f"images/{name}.txt", name)
    repo.write("images/empty", "")
    repo.mlctl("add", "raw.csv", "images")
    repo.write(
        "dvc.yaml", "stages:\n  s:\n    cmd: cp raw.csv out\n    deps: [raw.csv]\n    outs: [out]\n"
    )
    ended, said = run_mlctl(root, "run")
    assert ended == 0, said
    repo.dvc("remote", "add", "-d", "store", url)
    repo.commit()
    return repo
