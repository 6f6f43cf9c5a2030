"""mv, rm and unprotect against DVC's own: the same pointers, ignore files and caches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from data.versions import Repo
from mlctl.store.config import load_config
from mlctl.store.locks import PathLocks


def twins(tmp_path: Path, prepare: Callable[[Repo], None]) -> tuple[Repo, Repo]:
    ours = Repo.make(tmp_path / "ours")
    prepare(ours)
    shutil.copytree(ours.root, tmp_path / "theirs", symlinks=True)
    return ours, Repo(tmp_path / "theirs")


def tracked(repo: Repo) -> None:
    repo.write("data/raw.csv", "a\n")
    repo.write("data/images/1", "1")
    repo.write("data/images/sub/2", "2")
    repo.write("other/keep", "")
    repo.mlctl("add", "data/raw.csv", "data/images")
    text = repo.read("data/raw.csv.dvc").replace("  path", "  desc: mine\n  path")
    repo.write("data/raw.csv.dvc", f"# a comment\n{text}meta:\n  who: me\ndesc: kept\n")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("data/raw.csv", "data/new.csv"),
        ("data/raw.csv", "moved.csv"),
        ("data/raw.csv", "other"),
        ("data/images", "deep/er/pictures"),
    ],
)
def test_mv_writes_what_dvc_writes(tmp_path: Path, source: str, target: str) -> None:
    ours, theirs = twins(tmp_path, tracked)
    (theirs.root / target).parent.mkdir(parents=True, exist_ok=True)
    moved = ours.json("mv", source, target)
    theirs.dvc("move", source, target)
    assert ours.everything() == theirs.everything()
    assert not (ours.root / source).exists()
    assert (ours.root / moved["target"]).exists()
    assert ours.is_clean()


def test_mv_of_changed_and_of_missing_data(tmp_path: Path) -> None:
    ours, theirs = twins(tmp_path, tracked)
    for repo in (ours, theirs):
        repo.write("data/raw.csv", "changed\n")
        shutil.rmtree(repo.root / "data/images")
    for pair in (("data/raw.csv", "r.csv"), ("data/images", "i")):
        ours.mlctl("mv", *pair)
        theirs.dvc("move", *pair)
    assert _outside_of_the_cache(ours) == _outside_of_the_cache(theirs)
    assert "modified:           r.csv" in ours.dvc("status")
    ours.mlctl("add", "r.csv")
    ours.mlctl("checkout")
    assert ours.is_clean()


def _outside_of_the_cache(repo: Repo) -> dict[str, bytes]:
    return {k: v for k, v in repo.everything().items() if not k.startswith(".dvc/cache")}


def test_mv_of_an_import_is_left_to_dvc(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo")
    (tmp_path / "source").write_text("x")
    repo.dvc("import-url", str(tmp_path / "source"), "here")
    repo.mlctl("mv", "here", "there")
    assert repo.read("there") == "x"
    assert "deps" in repo.read("there.dvc")
    assert repo.is_clean()


def test_mv_refuses(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo")
    tracked(repo)
    before = repo.everything()
    repo.write("taken", "")
    for args, said in [
        (("data/raw.csv", "taken"), "taken exists"),
        (("data/raw.csv", "data/images/x"), "data/images"),
        (("data/raw.csv", "../out"), "not inside"),
        (("data/images/1", "x"), "no `.dvc` file tracks it"),
        (("nope", "x"), "no `.dvc` file tracks it"),
    ]:
        assert said in repo.mlctl("mv", *args, code=2)
    os.unlink(repo.root / "taken")
    assert repo.everything() == before
    locks = PathLocks(load_config(str(repo.root)), "a stage")
    locks._me = {"pid": os.getppid(), "cmd": "a stage"}
    locks.publish([str(repo.root / "data/raw.csv")], [])
    assert "in use by process" in repo.mlctl("mv", "data/raw.csv", "x.csv", code=4)
    assert repo.everything() == before


@pytest.mark.parametrize("outs", [False, True])
@pytest.mark.parametrize("links", ["copy", "hardlink", "symlink"])
def test_rm_does_what_dvc_does(tmp_path: Path, outs: bool, links: str) -> None:
    def prepare(repo: Repo) -> None:
        repo.dvc("config", "cache.type", links)
        tracked(repo)

    ours, theirs = twins(tmp_path, prepare)
    more = ["--outs"] if outs else []
    ours.mlctl("rm", "data/raw.csv", "data/images.dvc", *more)
    theirs.dvc("remove", "data/raw.csv.dvc", *more)
    theirs.dvc("remove", "data/images.dvc", *more)
    assert ours.everything() == theirs.everything()
    assert (ours.root / "data/raw.csv").exists() is not outs
    if not outs:
        assert not (ours.root / "data/raw.csv").is_symlink()
        assert os.access(ours.root / "data/images/1", os.W_OK)


def test_rm_with_outs_loses_nothing(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo")
    tracked(repo)
    repo.write("data/raw.csv", "changed\n")
    before = repo.everything()
    assert "would be lost" in repo.mlctl("rm", "data/images", "data/raw.csv", "--outs", code=2)
    assert repo.everything() == before
    repo.mlctl("rm", "data/images", "data/raw.csv", "--outs", "--force")
    assert not (repo.root / "data/raw.csv").exists()
    repo.write("dvc.yaml", "stages:\n  s:\n    cmd: echo > out\n    outs: [out]\n")
    assert "stage 's' makes it" in repo.mlctl("rm", "out", code=2)


def test_unprotect(tmp_path: Path) -> None:
    repo = Repo.make(tmp_path / "repo")
    repo.dvc("config", "cache.type", "hardlink")
    tracked(repo)
    path = repo.root / "data/images/1"
    assert path.stat().st_nlink == 2
    assert repo.json("unprotect", "data/images")["unprotected"] == ["data/images"]
    assert path.stat().st_nlink == 1
    path.write_text("changed")
    assert repo.object("c4ca4238a0b923820dcc509a6f75849b").read_text() == "1"
    assert "not in the workspace" in _gone(repo)


def _gone(repo: Repo) -> str:
    os.unlink(repo.root / "data/raw.csv")
    return repo.mlctl("unprotect", "data/raw.csv", code=2)
