"""A small part of what `python -m faults.transfer` does; and disks that are full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.versions import Repo, objects
from faults import transfer


@pytest.mark.parametrize("kind", ["folder", "ssh"])
def test_an_interrupted_transfer_is_taken_up(tmp_path: Path, kind: str) -> None:
    counts = transfer.run(tmp_path, kind, files=300, interruptions=3, seed=1)
    hows = [f"{verb} {how}" for verb in ("push", "fetch") for how in ("SIGKILL", "SIGINT")]
    assert sum(counts[how] for how in hows)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.getuid() or subprocess.run(argv).returncode:
        pytest.skip("NOT RUN: mounting a file system needs root on Linux")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=9m", str(disk)], check=True)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Twenty files of 100 kB."""
    repo = Repo.make(tmp_path / "repo")
    for number in range(20):
        repo.write(f"data/{number}", f"{number} " * (100_000 // len(f"{number} ")))
    repo.mlctl("add", "data")
    return repo


def test_a_full_remote(repo: Repo, small: Path) -> None:
    repo.mlctl("remote", "add", "-d", "store", str(small / "store"))
    said = repo.mlctl("push", code=3)
    assert "No space left on device" in said
    there = objects(small / "store")
    assert 0 < len(there) < 20
    assert not [md5 for md5 in there if md5.endswith(".dir")]
    assert not transfer.temporaries(small / "store")
    grow(small)
    assert repo.json("push")["remotes"][0]["present"] == len(there)
    assert "in sync" in repo.dvc("status", "-c")


def test_a_full_cache(tmp_path: Path, repo: Repo, small: Path) -> None:
    repo.mlctl("remote", "add", "-d", "store", str(tmp_path / "store"))
    repo.mlctl("push")
    repo.commit()
    clone = repo.clone(tmp_path / "clone")
    clone.dvc("cache", "dir", "--local", str(small / "cache"))
    assert "No space left on device" in clone.mlctl("fetch", code=3)
    there = objects(small / "cache")
    assert 0 < len(there) < 20
    assert not transfer.temporaries(small / "cache")
    grow(small)
    assert clone.json("pull")["remotes"][0]["present"] == len(there)
    assert clone.is_clean()
