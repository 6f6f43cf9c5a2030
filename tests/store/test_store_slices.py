"""Many files at once: several processes do what one would, and a lost process loses nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlctl.errors import NotAble
from mlctl.store import intake, links, new_folder, slices
from mlctl.store.checkout import checkout
from mlctl.store.hashing import file_md5
from mlctl.store.intake import File, Taken
from mlctl.store.state import signature
from mlctl.store.syncing import sync_file
from mlctl.store.workspace import open_workspace


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few files are worth three processes."""
    monkeypatch.setattr(slices, "WORTH_IT", 5)
    monkeypatch.setattr(slices.os, "cpu_count", lambda: 3)
    monkeypatch.setattr("mlctl.store.observe.WORTH_IT", 5)


def some_files(folder: Path, count: int = 20) -> list[File]:
    for n in range(count):
        path = folder / f"{n % 3}" / f"{n} é\n.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{n // 2}")  # each content twice
    paths = sorted(str(path) for path in folder.rglob("*.txt"))
    return [File(path, signature(os.stat(path))) for path in paths]


def test_every_file_comes_in_with_its_hash(many, tmp_path: Path) -> None:
    files = some_files(tmp_path / "data")
    taken = intake.take_in(files, str(tmp_path / "cache"))
    assert [item and item.md5 for item in taken] == [file_md5(file.path) for file in files]
    objects = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.parent.name + path.name for path in objects} == {t.md5 for t in taken if t}
    assert all(file_md5(str(path)) == path.parent.name + path.name for path in objects)
    again = intake.take_in(files, str(tmp_path / "cache"))
    assert again == [Taken(item.md5, False) for item in taken if item]


def test_a_file_that_changed_or_cannot_be_read_is_left_out(many, tmp_path: Path) -> None:
    files = some_files(tmp_path / "data")
    Path(files[3].path).write_text("something longer")
    os.unlink(files[4].path)
    taken = intake.take_in(files, str(tmp_path / "cache"))
    assert [n for n, item in enumerate(taken) if item is None] == [3, 4]
    assert not list((tmp_path / "cache").rglob("*.tmp"))


def test_a_process_that_is_killed_leaves_its_files_to_the_caller(
    many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = some_files(tmp_path / "data")
    monkeypatch.setattr(slices.sys, "executable", "/bin/false")
    taken = intake.take_in(files, str(tmp_path / "cache"))
    assert [n for n, item in enumerate(taken) if item] == list(range(0, 20, 3))


def test_where_no_process_can_be_started_the_caller_does_it(
    many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = some_files(tmp_path / "data")
    monkeypatch.setattr(slices.sys, "executable", "/no such program")
    taken = intake.take_in(files, str(tmp_path / "cache"))
    assert [n for n, item in enumerate(taken) if item] == list(range(0, 20, 3))


def test_threads_that_share_link_types_leave_those_that_work(tmp_path: Path) -> None:
    """Two that find reflinks refused at the same moment must not take `copy` away with them."""
    source = tmp_path / "object"
    source.write_text("x")
    for round_ in range(50):
        types = ["hardlink", "copy"]
        barrier = threading.Barrier(4)
        monkey = dict(links._MAKERS)

        def refused(_source: str, _target: str, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(5)
            raise OSError(errno.EXDEV, "another file system")

        links._MAKERS["hardlink"] = refused
        try:
            with ThreadPoolExecutor(4) as pool:
                targets = [str(tmp_path / f"{round_}-{n}") for n in range(4)]
                list(pool.map(lambda t, k=types: links.make_new_link(str(source), t, k), targets))
        finally:
            links._MAKERS.update(monkey)
        assert types == ["copy"]


def test_a_commit_of_many_files_is_what_dvc_makes(many, repo: Path) -> None:
    some_files(repo / "data")
    (repo / "data" / "large").write_bytes(b"x" * (intake.LARGEST + 1))
    subprocess.run(["dvc", "add", "-q", "data"], check=True)
    theirs = {str(p): p.stat().st_mode for p in Path(".dvc/cache").rglob("*")}
    subprocess.run(["rm", "-rf", ".dvc/cache"], check=True)
    workspace = open_workspace(str(repo))
    seen = workspace.observe("data", to_commit=True)
    assert seen is not None
    workspace.cache.commit(seen)
    assert {str(p): p.stat().st_mode for p in Path(".dvc/cache").rglob("*")} == theirs
    assert f"md5: {seen.digest.md5}\n" in (repo / "data.dvc").read_text()


def test_what_is_written_after_the_sync_began_is_synced_too(
    many, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_files(repo / "data")
    (repo / "data" / "large").write_bytes(b"x" * (intake.LARGEST + 1))
    workspace = open_workspace(str(repo))
    seen = workspace.observe("data", to_commit=True)
    assert seen is not None
    workspace.cache.commit(seen, flush=False)
    synced = []

    def sync(path: str) -> None:
        assert os.stat(path).st_mode & 0o777 != links.PROTECTED
        synced.append(path)
        sync_file(path)

    monkeypatch.setattr("mlctl.store.cache.sync_file", sync)
    workspace.cache.flush()
    large = file_md5("data/large")
    assert set(synced) == {workspace.cache.path(large), workspace.cache.path(seen.digest.md5)}
    objects = [path for path in Path(".dvc/cache/files").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in objects} == {links.PROTECTED}


@pytest.mark.parametrize("kind", ["copy", "symlink", "hardlink", "reflink,copy"])
def test_a_folder_comes_back_whole(many, repo: Path, configure, kind: str) -> None:
    configure(f"[cache]\n    type = {kind}\n")
    some_files(repo / "data")
    before = {str(p): p.read_bytes() for p in Path("data").rglob("*.txt")}
    workspace = open_workspace(str(repo))
    seen = workspace.observe("data", to_commit=True)
    assert seen is not None
    workspace.cache.commit(seen)
    subprocess.run(["rm", "-rf", "data"], check=True)
    changes = checkout(workspace, seen.digest, "data")
    assert len(changes.added) == 20
    assert {str(p): p.read_bytes() for p in Path("data").rglob("*.txt")} == before
    assert os.listdir(".mlctl/tmp") == []
    again = workspace.observe("data")
    assert again is not None
    assert again.digest == seen.digest


def test_an_empty_folder_comes_back(repo: Path) -> None:
    (repo / "data").mkdir()
    workspace = open_workspace(str(repo))
    seen = workspace.observe("data")
    assert seen is not None
    workspace.cache.commit(seen)
    (repo / "data").rmdir()
    checkout(workspace, seen.digest, "data")
    assert os.listdir("data") == []


def test_where_no_link_works_nothing_is_left(many, tmp_path: Path) -> None:
    source = tmp_path / "object"
    source.write_text("x")
    (tmp_path / "t").mkdir()
    new_folder._left.cache_clear()
    with pytest.raises(NotAble, match="no link type"):
        new_folder.make(str(tmp_path / "new"), {"a": str(source)}, ["reflink"], str(tmp_path / "t"))
    assert sorted(os.listdir(tmp_path)) == ["object", "t"]
    assert os.listdir(tmp_path / "t") == []
