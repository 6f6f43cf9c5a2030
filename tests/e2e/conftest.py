"""A sandbox for each test; `python` in a stage's command is the interpreter of the tests."""

import os
import subprocess
import sys

import pytest

from e2e.sandbox import Sandbox


@pytest.fixture(autouse=True)
def same_python(monkeypatch):
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path):
    return Sandbox(tmp_path / "p")


@pytest.fixture
def mount(tmp_path):
    """Mounts a small file system at a folder; not without root, nor on macOS."""
    folder = tmp_path / "small"
    folder.mkdir()

    def make(options: str) -> str:
        argv = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if sys.platform != "linux" or os.getuid() or subprocess.run(argv).returncode:
            pytest.skip("NOT RUN: mounting a file system needs root on Linux")
        return str(folder)

    yield make
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)
