"""Commits against stock DVC: the same objects, and DVC is content with them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlctl.errors import Busy
from mlctl.store.cache import Cache
from mlctl.store.config import load_config
from mlctl.store.digest import Digest
from mlctl.store.hashing import file_md5
from mlctl.store.workspace import open_workspace

TREES = {
    "one file": {"data": "hello"},
    "empty file": {"data": ""},
    "folder": {"data/a": "1", "data/b": "2", "data/sub/c": "1"},
    "empty files": {"data/a": "", "data/b": ""},
    "unicode": {"data/é ü.txt": "1", "data/日本/語": "2", "data/a'b\"c\\d": "3", "data/😀": "4"},
    "sorting": {"data/a/b": "1", "data/a-b": "2", "data/a.b": "3", "data/A": "4", "data/ab/c": "5"},
    "big": {"data": b"x" * (3 << 20), },
}  # fmt: skip


@pytest.mark.parametrize("files", TREES.values(), ids=TREES.keys())
def test_commit_writes_the_objects_of_dvc(repo, dvc, workspace, write, objects, files) -> None:
    write(repo, files)
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    ours = objects()
    shutil.rmtree(repo / ".dvc" / "cache")
    with dvc() as opened:
        (stage,) = opened.add("data")
        meta, md5 = stage.outs[0].meta, stage.outs[0].hash_info.value
    assert ours == objects()
    assert observed.digest == Digest(md5, meta.size, meta.nfiles, meta.isexec)
    assert {mode for mode, _ in ours.values()} == {0o444}


@pytest.mark.parametrize("files", TREES.values(), ids=TREES.keys())
def test_dvc_is_content_with_what_we_committed(repo, dvc, workspace, write, files) -> None:
    write(repo, files)
    with dvc() as opened:
        opened.add("data")
    shutil.rmtree(repo / ".dvc" / "cache")
    workspace.cache.commit(workspace.observe("data"))
    with dvc() as opened:
        assert opened.status() == {}
    before = {p: p.read_bytes() for p in repo.rglob("data/**/*") if p.is_file()}
    shutil.rmtree(repo / "data") if (repo / "data").is_dir() else (repo / "data").unlink()
    with dvc() as opened:
        opened.checkout("data")
    assert {p: p.read_bytes() for p in repo.rglob("data/**/*") if p.is_file()} == before


def test_empty_folder(repo, dvc, workspace) -> None:
    (repo / "data" / "below").mkdir(parents=True)
    observed = workspace.observe("data")
    assert observed.digest == Digest("d751713988987e9331980363e24189ce.dir", size=0, nfiles=0)
    with dvc() as opened:
        (stage,) = opened.add("data")
    assert stage.outs[0].hash_info.value == observed.digest.md5
    assert workspace.cache.has(observed.digest)


def test_executable_bit_is_what_dvc_writes(repo, dvc, workspace) -> None:
    (repo / "tool").write_text("#!/bin/sh\n")
    (repo / "tool").chmod(0o755)
    digest = workspace.observe("tool").digest
    with dvc() as opened:
        (stage,) = opened.add("tool")
    assert digest.isexec is stage.outs[0].meta.isexec is True


def test_existing_objects_are_not_written_again(repo, workspace, write, objects) -> None:
    write(repo, {"data/a": "1", "data/b": "2"})
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    paths = [repo / ".dvc" / "cache" / name for name in objects()]
    before = [(path.stat().st_ino, path.stat().st_ctime_ns) for path in paths]
    workspace.cache.commit(observed)
    assert [(path.stat().st_ino, path.stat().st_ctime_ns) for path in paths] == before


def test_only_read_only_objects_are_trusted(repo, workspace, write) -> None:
    write(repo, {"data": "good"})
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    path = Path(workspace.cache.path(observed.digest.md5))
    fresh = open_workspace(str(repo)).cache

    path.chmod(0o644)
    assert fresh.exists(observed.digest.md5)
    assert path.stat().st_mode & 0o777 == 0o444

    path.chmod(0o644)
    path.write_text("evil")
    path.chmod(0o444)
    assert fresh.exists(observed.digest.md5)

    path.chmod(0o644)
    assert not fresh.exists(observed.digest.md5)
    assert not path.exists()


def test_has_wants_every_file_of_a_folder(repo, workspace, write) -> None:
    write(repo, {f"data/{i}": str(i) for i in range(600)})
    observed = workspace.observe("data")
    assert not workspace.cache.has(observed.digest)
    workspace.cache.commit(observed)
    time.sleep(0.05)
    cache = open_workspace(str(repo)).cache
    assert cache.has(observed.digest)
    assert cache.has(observed.digest)
    os.unlink(cache.path(observed.entries[17].md5))
    assert not cache.has(observed.digest)


def test_a_folder_known_as_complete_is_none_once_its_listing_is_damaged(
    repo, workspace, write
) -> None:
    write(repo, {f"data/{i}": str(i) for i in range(600)})
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    time.sleep(0.05)
    assert workspace.cache.has(observed.digest)
    listing = Path(workspace.cache.path(observed.digest.md5))
    listing.chmod(0o644)
    listing.write_text("not a listing")
    listing.chmod(0o444)
    assert not open_workspace(str(repo)).cache.has(observed.digest)


def test_objects_are_untrusted_until_they_are_flushed(repo, workspace, write, objects) -> None:
    write(repo, {"data/a": "1", "data/b": "2"})
    observed = workspace.observe("data")
    workspace.cache.commit(observed, flush=False)
    assert 0o444 not in {mode for mode, _ in objects().values()}
    assert workspace.cache.has(observed.digest)
    workspace.cache.flush()
    assert {mode for mode, _ in objects().values()} == {0o444}


def test_a_file_that_changed_since_is_refused(repo, workspace, write, objects) -> None:
    write(repo, {"data": "before"})
    observed = workspace.observe("data")
    (repo / "data").write_text("AFTER!")
    with pytest.raises(Busy, match="changed"):
        workspace.cache.commit(observed)
    assert objects() == {}


def test_legacy_hashes_have_their_own_place(repo, workspace, write) -> None:
    write(repo, {"data/dos.txt": "a\r\nb\r\n", "data/bin": b"\0\r\n"})
    observed = workspace.observe("data", legacy=True)
    assert observed.digest.legacy
    workspace.cache.commit(observed)
    assert Path(workspace.cache.path(observed.digest.md5, legacy=True)).parts[-3] == "cache"
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.fs import localfs

    odb = HashFileDB(localfs, str(repo / "odb"), hash_name="md5-dos2unix")
    _, _, tree = build(odb, str(repo / "data"), localfs, "md5-dos2unix", dry_run=True)
    assert tree.hash_info.value == observed.digest.md5
    assert workspace.cache.has(observed.digest)


def test_shared_cache_folders_belong_to_the_group(repo, configure, write) -> None:
    configure("[cache]\n    shared = group\n")
    write(repo, {"data": "x"})
    cache = Cache(load_config(str(repo)))
    opened = open_workspace(str(repo))
    cache.commit(opened.observe("data"))
    folder = Path(cache.path(opened.observe("data").digest.md5)).parent
    assert folder.stat().st_mode & 0o7777 == 0o2775
    assert folder.parent.stat().st_mode & 0o7777 == 0o2775


KILLED = """
import sys
from mlctl.store.workspace import open_workspace
opened = open_workspace(sys.argv[1])
observed = opened.observe("data")
print("ready", flush=True)
opened.cache.commit(observed)
"""


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06])
def test_a_kill_leaves_no_torn_object(repo, workspace, write, objects, delay) -> None:
    write(repo, {f"data/{i}": f"{i}" * 20_000 for i in range(400)})
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(repo)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    whole = {name: data for name, (_, data) in objects().items() if not name.endswith(".tmp")}
    for name in whole:
        md5 = name.removeprefix("files/md5/").replace("/", "").removesuffix(".dir")
        assert file_md5(str(repo / ".dvc" / "cache" / name)) == md5
    for name, data in whole.items():
        if name.endswith(".dir"):
            assert {entry["md5"] for entry in json.loads(data)} <= {
                other.removeprefix("files/md5/").replace("/", "") for other in whole
            }
    workspace.cache.commit(workspace.observe("data"))
    assert open_workspace(str(repo)).cache.has(workspace.observe("data").digest)


def test_two_processes_commit_the_same_folder(repo, workspace, write, objects) -> None:
    write(repo, {f"data/{i}": f"{i}" * 2000 for i in range(300)})
    command = [sys.executable, "-c", KILLED, str(repo)]
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert {mode for mode, _ in objects().values()} == {0o444}
    assert len(objects()) == 301
    assert workspace.cache.has(workspace.observe("data").digest)
