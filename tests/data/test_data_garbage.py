"""gc frees what nothing refers to, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.versions import Repo, filled, objects
from e2e.sandbox import wait_until
from mlctl.data.versions.garbage import named_in


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return filled(tmp_path / "repo", str(tmp_path / "store"))


def cache(repo: Repo) -> set[str]:
    return objects(repo.root / ".dvc" / "cache")


def other_version(repo: Repo) -> set[str]:
    """Change a file, a file of the folder, and forget the out; what only the old version has."""
    old = {_md5("a,b\n1,2\n"), _md5("x"), *(m for m in cache(repo) if m.endswith(".dir"))}
    repo.write("raw.csv", "a,b\n3,4\n")
    repo.write("images/x.txt", "another x")
    repo.mlctl("add", "raw.csv", "images")
    os.unlink(repo.root / "dvc.lock")
    assert len(old & cache(repo)) == 3
    return old


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_nothing_is_touched_without_force(repo: Repo) -> None:
    old = other_version(repo)
    before = cache(repo)
    place = repo.json("gc", "-w", "--no-runs")["places"][0]
    assert (place["objects"], place["removed"]) == (len(old), False)
    assert cache(repo) == before
    assert "say what is to be kept" in repo.mlctl("gc", code=2)


def test_the_workspace_branches_tags_and_commits(tmp_path: Path, repo: Repo) -> None:
    start = cache(repo)
    repo.git("tag", "v1")
    old = other_version(repo)
    repo.commit()
    for options in (["-T"], ["-A"], ["--rev", "v1"], ["--rev", "HEAD~1"]):
        repo.mlctl("gc", *options, "--no-runs", "--force")
        assert cache(repo) > start
    shutil.copytree(repo.root, tmp_path / "stock", symlinks=True)
    stock = Repo(tmp_path / "stock")
    stock.dvc("gc", "-a", "-f")
    freed = repo.json("gc", "-a", "--no-runs", "--force")["places"][0]
    assert freed["objects"] == len(old)
    assert not cache(repo) & old
    assert cache(repo) == cache(stock)
    assert "0 objects" in repo.mlctl("gc", "-w", "--no-runs")
    repo.mlctl("checkout", "raw.csv", "images")


def test_runs_and_the_registry_keep_what_they_refer_to(repo: Repo) -> None:
    start = cache(repo)
    assert list(repo.root.glob("runs/*/*/stages.jsonl"))
    repo.write("raw.csv", "a,b\n3,4\n")
    repo.mlctl("add", "raw.csv")
    os.unlink(repo.root / "dvc.lock")
    repo.write("registry/m/v1.0.0.yaml", "model:\n  digest: md5:9dd4e461268c8034f5c8564e155c67a6\n")
    repo.mlctl("rm", "images", "--outs")
    repo.mlctl("gc", "-w", "--force")
    assert "9dd4e461268c8034f5c8564e155c67a6" in cache(repo)
    assert json.loads(next(repo.root.glob("runs/*/*/stages.jsonl")).read_text().split("\n")[0])
    raw = {md5 for md5 in start & cache(repo) if repo.object(md5).read_bytes() == b"a,b\n1,2\n"}
    assert raw  # the data and the out of the run
    repo.mlctl("gc", "-w", "--no-runs", "--force")
    assert not raw & cache(repo)
    assert "9dd4e461268c8034f5c8564e155c67a6" not in cache(repo)


def test_a_lock_with_conflict_markers_keeps_both_sides(repo: Repo) -> None:
    lock = repo.read("dvc.lock")
    both = f"<<<<<<< HEAD\n{lock}=======\n{lock.replace('a', 'b')}>>>>>>> other\n"
    repo.write("dvc.lock", both)
    before = cache(repo)
    repo.mlctl("gc", "-w", "--no-runs", "--force")
    assert cache(repo) == before


def test_the_remote(tmp_path: Path, repo: Repo) -> None:
    repo.mlctl("push")
    old = other_version(repo)
    repo.mlctl("push", "raw.csv", "images")
    found = repo.json("gc", "-w", "--no-runs", "--cloud", "--force")["places"]
    assert [place["remote"] for place in found] == [None, "store"]
    assert found[1]["objects"] == len(old)
    assert not objects(tmp_path / "store") & old
    clone = repo.clone(tmp_path / "clone")
    for name in ("raw.csv.dvc", "images.dvc"):
        clone.write(name, repo.read(name))
    clone.mlctl("pull", "raw.csv", "images")
    # A clone without the listings reads them on the remote, and keeps what they name.
    fresh = repo.clone(tmp_path / "fresh")
    for name in ("raw.csv.dvc", "images.dvc"):
        fresh.write(name, repo.read(name))
    before = objects(tmp_path / "store")
    fresh.mlctl("gc", "-w", "--no-runs", "--cloud", "--force")
    assert objects(tmp_path / "store") == before


def test_another_project_of_a_shared_cache(tmp_path: Path, repo: Repo) -> None:
    other = Repo.make(tmp_path / "other")
    other.dvc("cache", "dir", str(repo.root / ".dvc" / "cache"))
    other.write("theirs", "theirs")
    other.mlctl("add", "theirs")
    before = cache(repo)
    repo.mlctl("gc", "-w", "-p", str(other.root), "--force")
    assert cache(repo) == before
    repo.mlctl("gc", "-w", "--force")
    assert len(cache(repo)) == len(before) - 1


def test_not_while_a_stage_runs(repo: Repo) -> None:
    repo.write("dvc.yaml", "stages:\n  s:\n    cmd: touch up; sleep 30\n    outs: [out]\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "mlctl", "run"], cwd=repo.root, stdout=subprocess.DEVNULL
    )
    try:
        wait_until((repo.root / "up").exists)
        assert "in use by process" in repo.mlctl("gc", "-w", "--force", code=4)
        assert repo.mlctl("gc", "-w")
    finally:
        process.terminate()
        process.wait()


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.booleans()), max_size=5))
def test_every_md5_of_a_text_is_found(found: list[tuple[bytes, bool]]) -> None:
    names = {md5.hex() + (".dir" if folder else "") for md5, folder in found}
    assert named_in("\n".join(f"- md5: {name}\n  x: 'md5:{name}'" for name in names)) == names
    assert named_in("0" * 33 + " " + "0" * 31) == set()
