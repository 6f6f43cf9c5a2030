"""What is hashed when: the state database, and its safety against fast edits."""

from __future__ import annotations

import os
import sqlite3
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.errors import InvalidInput
from mlctl.store import observe as observe_module
from mlctl.store.hashing import file_md5, file_md5_dos2unix, is_executable
from mlctl.store.state import COARSE_MARGIN, MARGIN, Signature, State, is_settled
from mlctl.store.tree import parse_tree, tree_bytes, tree_id
from mlctl.store.workspace import open_workspace

names = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6
).filter(lambda name: name not in {".", ".."})
md5s = st.binary(min_size=16, max_size=16).map(bytes.hex)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.lists(names, min_size=1, max_size=3).map("/".join), md5s, max_size=8))
def test_listings_have_the_bytes_of_dvc(files: dict[str, str]) -> None:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.meta import Meta
    from dvc_data.hashfile.tree import Tree

    theirs = Tree()
    for name, md5 in files.items():
        theirs.add(tuple(name.split("/")), Meta(), HashInfo("md5", md5))
    theirs.digest()
    data = tree_bytes(files.items())
    assert data == theirs.as_bytes()
    assert tree_id(data) == theirs.oid
    assert dict(parse_tree(data, "x")) == files


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"text ", b"\r\n", b"\0", b"\xff\xfe", b"\n", b"a" * 600])))
def test_legacy_hash_is_that_of_dvc(tmp_path_factory, parts: list[bytes]) -> None:
    from dvc_data.hashfile.hash import file_md5 as theirs

    path = str(tmp_path_factory.mktemp("legacy") / "file")
    for data in (b"".join(parts), b"x" * ((1 << 20) - 1) + b"\r\n" + b"".join(parts)):
        with open(path, "wb") as file:
            file.write(data)
        assert file_md5_dos2unix(path) == theirs(path, name="md5-dos2unix")
        assert file_md5(path) == theirs(path, name="md5")


@pytest.mark.parametrize(("mode", "answer"), [(0o644, False), (0o744, True), (0o645, True)])
def test_executable(mode: int, answer: bool) -> None:
    assert is_executable(mode) is answer


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were really read."""
    seen: list[str] = []

    def record(path: str) -> str:
        seen.append(path)
        return file_md5(path)

    monkeypatch.setattr(observe_module, "file_md5", record)
    return seen


def age() -> None:
    time.sleep(MARGIN * 2e-9)


def test_what_did_not_change_is_not_read(repo, workspace, write, hashed) -> None:
    write(repo, {"one": "1", "data/a": "1", "data/b": "2"})
    age()
    first = workspace.observe("one"), workspace.observe("data")
    hashed.clear()
    again = open_workspace(str(repo))
    assert (again.observe("one"), again.observe("data")) == first
    assert again.observe("data").entries == first[1].entries
    assert hashed == []
    write(repo, {"data/b": "3"})
    again.observe("data")
    assert hashed == [str(repo / "data/b")]


def test_edits_within_one_tick_are_seen(repo, workspace) -> None:
    path, folder = repo / "file", repo / "folder"
    folder.mkdir()
    for number in range(100, 200):
        text = str(number)
        path.write_text(text)
        (folder / "x").write_text(text)
        assert workspace.observe("file").digest.md5 == file_md5(str(path))
        assert workspace.observe("folder").entries[0].md5 == file_md5(str(path))


def test_setting_the_old_time_hides_nothing(repo, workspace) -> None:
    path = repo / "file"
    path.write_text("aaa")
    age()
    before = path.stat()
    first = workspace.observe("file")
    path.write_text("bbb")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert workspace.observe("file").digest != first.digest


def test_settled() -> None:
    now = 1_000_000_000_000_000_001
    fine = Signature(now - MARGIN - 1, now - MARGIN - 1, 1, 1)
    assert is_settled(fine, now)
    assert not is_settled(fine._replace(ctime=now - MARGIN), now)
    assert not is_settled(fine._replace(mtime=now + 10**12), now)
    whole = (now - MARGIN) // 10**9 * 10**9 - 10**9
    assert not is_settled(Signature(whole, whole, 1, 1), now)
    assert is_settled(Signature(whole, whole, 1, 1), now + COARSE_MARGIN)


def test_a_checkout_is_remembered(repo, workspace, write, hashed) -> None:
    from mlctl.store.checkout import checkout
    from mlctl.store.links import remove

    write(repo, {f"data/{i}": str(i) for i in range(1200)})
    observed = workspace.observe("data")
    workspace.cache.commit(observed)
    remove(str(repo / "data"))
    hashed.clear()
    checkout(workspace, observed.digest, "data")
    assert workspace.observe("data").digest == observed.digest
    assert hashed == []


def test_links_into_the_cache_are_known_by_their_object(repo, configure, write, hashed) -> None:
    from mlctl.store.checkout import checkout, relink

    configure("[cache]\n    type = hardlink\n")
    ours = open_workspace(str(repo))
    write(repo, {"big": "content"})
    observed = ours.observe("big")
    ours.cache.commit(observed, hardlink=True)
    age()
    relink(ours, observed)
    age()
    ours.observe("big")
    checkout(ours, observed.digest, "second")  # one more link: the change time of `big` is new
    hashed.clear()
    assert ours.observe("big").digest == observed.digest
    assert hashed == []


@pytest.mark.parametrize("damage", [b"", b"not a database" * 100])
def test_a_damaged_database_is_made_anew(repo, write, damage) -> None:
    write(repo, {"data/a": "1"})
    ours = open_workspace(str(repo))
    first = ours.observe("data")
    ours.state.close()
    for suffix in ("-wal", "-shm"):
        (repo / f".mlctl/state.db{suffix}").unlink(missing_ok=True)
    (repo / ".mlctl/state.db").write_bytes(damage)
    again = open_workspace(str(repo))
    assert again.observe("data") == first
    again.state.close()
    check = sqlite3.connect(repo / ".mlctl/state.db")
    assert check.execute("SELECT count(*) FROM folders").fetchone() == (1,)
    check.close()


def test_git_sees_nothing_of_the_state(repo, workspace, write) -> None:
    write(repo, {"x": "x"})
    workspace.observe("x")
    assert (repo / ".mlctl/.gitignore").read_text() == "*\n"


def test_threads_and_connections_share_the_state(repo, write) -> None:
    write(repo, {f"d{i}/{j}": f"{i}{j}" for i in range(8) for j in range(20)})
    age()
    spaces = [open_workspace(str(repo)) for _ in range(2)]
    results: dict[tuple[int, int], str] = {}

    def work(which: int) -> None:
        for i in range(8):
            results[which, i] = spaces[which % 2].observe(f"d{i}").digest.md5

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 32
    assert all(results[n, i] == results[0, i] for n in range(4) for i in range(8))


def test_a_state_that_cannot_be_written_is_done_without(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    state = State(str(tmp_path / "file" / "below"))
    state.put_many([("/x", Signature(1, 2, 3, 4), "md5")], began=10**18)
    assert state.get("/x", Signature(9, 9, 9, 9)) is None
    state.close()


def test_missing_special_and_linked(repo, workspace) -> None:
    assert workspace.observe("nothing") is None
    assert workspace.observe("nothing/below") is None
    (repo / "broken").symlink_to("nothing")
    assert workspace.observe("broken") is None
    os.mkfifo(repo / "pipe")
    with pytest.raises(InvalidInput, match="neither"):
        workspace.observe("pipe")
    (repo / "file").write_text("x")
    (repo / "link").symlink_to("file")
    assert workspace.observe("link").digest == workspace.observe("file").digest


def test_absolute_keys(workspace, tmp_path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/x").write_text("x")
    assert workspace.observe(str(tmp_path / "far")).digest.nfiles == 1
