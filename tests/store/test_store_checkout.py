"""Checkouts and links, with stock DVC on the other side."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlctl.errors import Busy, InvalidInput
from mlctl.store.cache import MissingObjects
from mlctl.store.checkout import Changes, checkout, relink
from mlctl.store.digest import Digest
from mlctl.store.links import remove, unprotect
from mlctl.store.workspace import open_workspace

FILES = {"data/a": "1", "data/é/b": "22", "data/é/c": "333", "data/empty": ""}
LINKS = ["reflink,copy", "copy", "hardlink,copy", "hardlink,symlink", "symlink", "hardlink"]


def content(top: Path) -> dict[str, bytes]:
    return {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}


def kind(path: Path) -> str:
    if path.is_symlink():
        return "symlink"
    return "hardlink" if path.stat().st_nlink > 1 else "copy"


@pytest.mark.parametrize("links", LINKS)
def test_we_check_out_what_dvc_added(repo, dvc, configure, write, links) -> None:
    configure(f"[cache]\n    type = {links}\n")
    write(repo, FILES)
    before = content(repo / "data")
    with dvc() as opened:
        (stage,) = opened.add("data")
    shutil.rmtree(repo / "data")
    with dvc() as opened:
        opened.checkout("data")
    theirs = {p: kind(p) for p in (repo / "data").rglob("*") if p.is_file()}
    shutil.rmtree(repo / "data")
    ours = open_workspace(str(repo))
    changes = checkout(ours, Digest(stage.outs[0].hash_info.value), "data")
    assert len(changes.added) == 4
    assert content(repo / "data") == before
    assert {p: kind(p) for p in theirs} == theirs
    with dvc() as opened:
        assert opened.status() == {}
    assert not checkout(ours, Digest(stage.outs[0].hash_info.value), "data")


@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("files", [FILES, {"data": "single"}], ids=["folder", "file"])
def test_a_commit_leaves_the_links_that_dvc_leaves(
    repo, dvc, configure, write, objects, links, files
) -> None:
    configure(f"[cache]\n    type = {links}\n")

    def state() -> dict[str, tuple[str, int]]:
        paths = [repo / name for name in files]
        return {str(p): (kind(p), p.stat().st_mode & 0o777) for p in paths}

    write(repo, files)
    with dvc() as opened:
        opened.add("data")
    theirs, their_objects = state(), objects()
    remove(str(repo / "data"))
    remove(str(repo / ".dvc" / "cache"))
    write(repo, files)
    ours = open_workspace(str(repo))
    observed = ours.observe("data")
    ours.cache.commit(observed, hardlink=links.startswith("hardlink"))
    relink(ours, observed)
    assert state() == theirs
    assert objects() == their_objects
    assert ours.observe("data").digest == observed.digest
    with dvc() as opened:
        assert opened.status() == {}


def test_only_what_differs_is_touched(repo, workspace, write) -> None:
    write(repo, FILES)
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    kept = (repo / "data/a").stat().st_ino
    write(repo, {"data/é/b": "changed", "data/extra/x": "new"})
    (repo / "data/empty").unlink()
    changes = checkout(workspace, observed.digest, "data")
    assert changes == Changes(added=("empty",), modified=("é/b",), deleted=("extra/x",))
    assert content(repo / "data") == {
        name.removeprefix("data/"): text.encode() for name, text in FILES.items()
    }
    assert (repo / "data/a").stat().st_ino == kept


def test_ignored_files_are_left_alone(repo, workspace, write) -> None:
    write(repo, {**FILES, ".dvcignore": "*.log\n", "data/x.log": "mine"})
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    write(repo, {"data/y.log": "mine too", "data/more": "gone"})
    checkout(workspace, observed.digest, "data")
    assert (repo / "data/y.log").exists()
    assert not (repo / "data/more").exists()


def test_without_force_nothing_is_lost(repo, workspace, write) -> None:
    write(repo, FILES)
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    write(repo, {"data/a": "precious"})
    with pytest.raises(InvalidInput, match="would be lost"):
        checkout(workspace, observed.digest, "data", force=False)
    assert (repo / "data/a").read_text() == "precious"
    workspace.cache.commit(workspace.observe("data"))
    assert checkout(workspace, observed.digest, "data", force=False)


def test_missing_objects_stop_a_checkout_before_it_starts(repo, workspace, write) -> None:
    write(repo, FILES)
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    os.unlink(workspace.cache.path(observed.entries[0].md5))
    write(repo, {"data/a": "other", "data/extra": "stays"})
    with pytest.raises(MissingObjects):
        checkout(workspace, observed.digest, "data")
    assert (repo / "data/extra").exists()


@pytest.mark.parametrize(("old", "new"), [({"data": "f"}, FILES), (FILES, {"data": "f"})])
def test_a_file_and_a_folder_replace_each_other(repo, workspace, write, old, new) -> None:
    write(repo, new)
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    remove(str(repo / "data"))
    write(repo, old)
    checkout(workspace, observed.digest, "data")
    assert workspace.observe("data").digest == observed.digest


def test_names_within_a_folder_may_change_their_kind(repo, workspace, write) -> None:
    write(repo, {"data/x": "file"})
    first = workspace.observe("data")
    workspace.cache.commit(first)
    (repo / "data/x").unlink()
    write(repo, {"data/x/y": "below"})
    second = workspace.observe("data")
    workspace.cache.commit(second)
    checkout(workspace, first.digest, "data")
    assert (repo / "data/x").read_text() == "file"
    checkout(workspace, second.digest, "data")
    assert (repo / "data/x/y").read_text() == "below"


def test_executable_files_stay_executable(repo, workspace) -> None:
    (repo / "tool").write_text("#!/bin/sh\n")
    (repo / "tool").chmod(0o755)
    observed = workspace.observe("tool")
    workspace.cache.commit(observed)
    (repo / "tool").unlink()
    checkout(workspace, observed.digest, "tool")
    assert os.access(repo / "tool", os.X_OK)
    (repo / "tool").chmod(0o644)
    checkout(workspace, observed.digest, "tool")
    assert workspace.observe("tool").digest.isexec


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a//b"])
def test_a_listing_cannot_leave_its_folder(repo, workspace, write, name) -> None:
    from mlctl.store.tree import tree_bytes, tree_id

    write(repo, {"x": "x"})
    observed = workspace.observe("x")
    workspace.cache.commit(observed)
    data = tree_bytes([(name, observed.digest.md5)])
    path = Path(workspace.cache.path(tree_id(data)))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match="unsafe path"):
        checkout(workspace, Digest(tree_id(data)), "data")


def test_a_checkout_does_not_write_through_links(repo, workspace, write, tmp_path) -> None:
    write(repo, {"data/sub/a": "1"})
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    shutil.rmtree(repo / "data/sub")
    (tmp_path / "elsewhere").mkdir()
    (repo / "data/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="link"):
        checkout(workspace, observed.digest, "data")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("links", ["hardlink", "symlink"])
def test_unprotect_makes_writable_copies(repo, configure, write, links) -> None:
    configure(f"[cache]\n    type = {links}\n")
    write(repo, FILES)
    ours = open_workspace(str(repo))
    observed = ours.observe("data")
    ours.cache.commit(observed)
    relink(ours, observed)
    unprotect(str(repo / "data"))
    path = repo / "data/a"
    assert kind(path) == "copy"
    path.write_text("other")
    assert Path(ours.cache.path(observed.entries[0].md5)).read_text() == "1"


def test_remove_takes_read_only_folders_and_leaves_what_links_point_to(repo, tmp_path) -> None:
    (tmp_path / "kept").mkdir()
    (repo / "data/below").mkdir(parents=True)
    (repo / "data/below/x").write_text("x")
    (repo / "data/below").chmod(0o555)
    (repo / "data/link").symlink_to(tmp_path / "kept")
    remove(str(repo / "data"))
    assert not (repo / "data").exists()
    assert (tmp_path / "kept").exists()
    (repo / "link").symlink_to(tmp_path / "kept")
    remove(str(repo / "link"))
    assert (tmp_path / "kept").exists()


names = st.sampled_from(["a", "b", "a/b", "a/c", "b/x/y", "c", "é", "c/d"])
trees = st.dictionaries(names, st.sampled_from(["", "1", "2", "3"]), max_size=5).filter(
    lambda tree: not any(f"{one}/" in other for one in tree for other in tree)
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(old=trees, new=trees, links=st.sampled_from(["copy", "hardlink", "symlink"]))
def test_any_folder_becomes_any_other(repo, write, old, new, links) -> None:
    ours = open_workspace(str(repo))
    ours = replace(ours, config=replace(ours.config, link_types=(links,)))
    digests = []
    for tree in (old, new):
        remove(str(repo / "data"))
        (repo / "data").mkdir()
        write(repo / "data", tree)
        observed = ours.observe("data")
        ours.cache.commit(observed)
        digests.append(observed.digest)
    for digest, tree in zip([*digests, *digests], [old, new, old, new], strict=True):
        checkout(ours, digest, "data")
        assert content(repo / "data") == {name: text.encode() for name, text in tree.items()}
        assert ours.observe("data").digest == digest
        assert not list((repo / ".mlctl").glob("tmp/*"))
    ours.state.close()


def test_what_changed_since_the_commit_is_not_replaced(repo, configure, write) -> None:
    configure("[cache]\n    type = symlink\n")
    ours = open_workspace(str(repo))
    write(repo, {"data/a": "1"})
    observed = ours.observe("data")
    ours.cache.commit(observed)
    write(repo, {"data/a": "precious"})
    with pytest.raises(Busy, match="changed"):
        relink(ours, observed)
    assert (repo / "data/a").read_text() == "precious"


def test_another_link_to_a_file_is_no_change_of_it(repo, configure, write) -> None:
    configure("[cache]\n    type = hardlink\n")
    ours = open_workspace(str(repo))
    write(repo, {"data/a": "1"})
    observed = ours.observe("data")
    ours.cache.commit(observed)
    os.link(repo / "data/a", repo / "other")  # as a stage beside it makes one, which sets ctime
    relink(ours, observed)
    assert kind(repo / "data/a") == "hardlink"


def test_files_under_way_stay_out_of_the_workspace(repo, workspace, write) -> None:
    write(repo, FILES)
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    shutil.rmtree(repo / "data")
    old = repo / ".mlctl/tmp/.left.tmp"
    old.parent.mkdir()
    old.write_text("")
    os.utime(old, (0, 0))
    checkout(workspace, observed.digest, "data")
    assert not list(repo.rglob("*.tmp"))


def test_no_object_is_marked_as_trusted_before_it_was_synced(repo, workspace, write) -> None:
    """A link in the workspace is replaced by a copy while the object is still on its way."""
    write(repo, {"elsewhere": "x"})
    os.symlink(repo / "elsewhere", repo / "data")
    observed = workspace.observe("data")
    workspace.cache.commit(observed, flush=False)
    synced = []
    flush = workspace.cache.flush
    workspace.cache.flush = lambda: (synced.append(mode()), flush())

    def mode() -> int:
        return os.stat(workspace.cache.path(observed.digest.md5)).st_mode & 0o777

    relink(workspace, observed)
    assert not os.path.islink(repo / "data")
    assert synced == [0o644]
    assert mode() == 0o444
