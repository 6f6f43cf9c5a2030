"""Real git repositories, without the configuration of whoever runs the tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, os.path.dirname(__file__))  # for run_builders, which child processes import too

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _no_git_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository on branch `main` with one commit."""
    root = tmp_path / "repo"
    root.mkdir()
    git_in(root, "init", "-q", "-b", "main")
    git_in(root, "config", "user.name", "Ada")
    git_in(root, "config", "user.email", "ada@example.org")
    (root / "train.py").write_text("print(1)\n")
    (root / ".gitignore").write_text("/model.txt\n")
    git_in(root, "add", "-A")
    git_in(root, "commit", "-q", "-m", "first")
    return root


def git_in(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def git(repo: Path) -> Git:
    """`git ARGS` in the repository; its output."""
    return lambda *args: git_in(repo, *args)
