"""Real repositories of git and DVC for the store's tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlctl.store.workspace import Workspace, open_workspace

Files = dict[str, bytes | str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new git and DVC repository, the current folder, apart from the user's own settings."""
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "outside" / name))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    root = tmp_path / "repo"
    root.mkdir()
    monkeypatch.chdir(root)
    subprocess.run(["git", "init", "-q"], check=True)
    from dvc.repo import Repo

    Repo.init().close()
    return root


@pytest.fixture
def dvc(repo: Path) -> Callable[[], AbstractContextManager[Any]]:
    """Stock DVC's `Repo` on the repository, opened anew each time."""

    @contextmanager
    def open_repo() -> Iterator[Any]:
        from dvc.repo import Repo

        with Repo(str(repo)) as opened:
            yield opened

    return open_repo


@pytest.fixture
def workspace(repo: Path) -> Iterator[Workspace]:
    opened = open_workspace(str(repo))
    yield opened
    opened.state.close()


@pytest.fixture
def configure(repo: Path) -> Callable[[str], None]:
    """Append lines to `.dvc/config`."""

    def append(text: str) -> None:
        with open(repo / ".dvc" / "config", "a") as file:
            file.write(text)

    return append


@pytest.fixture
def write() -> Callable[[Path, Files], None]:
    """Write a tree of files."""

    def write_all(top: Path, files: Files) -> None:
        for name, content in files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write_all


@pytest.fixture
def objects(repo: Path) -> Callable[[], dict[str, tuple[int, bytes]]]:
    """What the cache holds: path in it -> (mode, bytes)."""

    def read() -> dict[str, tuple[int, bytes]]:
        top = repo / ".dvc" / "cache"
        found = [Path(folder) / name for folder, _, names in os.walk(top) for name in names]
        return {
            path.relative_to(top).as_posix(): (path.stat().st_mode & 0o7777, path.read_bytes())
            for path in found
            if path.parts[-3] != "runs"
        }

    return read
