"""The locks, against a stock DVC in another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mlctl.errors import Busy, InvalidInput
from mlctl.store.config import load_config
from mlctl.store.locks import PathLocks, repo_lock

HARDLINK = "[core]\n    hardlink_lock = true\n"


def stock(repo, code: str) -> subprocess.Popen[str]:
    """A process that runs `code` with DVC's `repo` opened; it says `ready` when told to."""
    head = f"from dvc.repo import Repo\nrepo = Repo({str(repo)!r})\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()


HOLD = """
    with repo.lock:
        print("ready", flush=True)
        input()
"""
TRY = """
    from dvc.lock import LockError
    try:
        with repo.lock:
            print("got it")
    except LockError:
        print("refused")
"""


@pytest.mark.parametrize("text", ["", HARDLINK], ids=["flock", "hard link"])
def test_dvc_and_we_exclude_each_other(repo, configure, text) -> None:
    configure(text)
    config = load_config(str(repo))
    child = stock(repo, HOLD)
    until_ready(child)
    with pytest.raises(Busy) as caught, repo_lock(config, wait=0.2):
        pass
    if not text:
        assert str(child.pid) in str(caught.value)
    child.communicate("\n")
    with repo_lock(config, wait=0.2):
        out, _ = stock(repo, TRY).communicate()
        assert out == "refused\n"
    out, _ = stock(repo, TRY).communicate()
    assert out == "got it\n"
    assert {name for name in os.listdir(config.tmp_dir) if name.endswith(".lock")} <= {
        "rwlock.lock"
    }


def test_waiting_for_the_lock(repo) -> None:
    config = load_config(str(repo))
    order: list[str] = []

    def other() -> None:
        with repo_lock(config, wait=None):
            order.append("other")

    with repo_lock(config):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


RWLOCK = """
    from dvc.rwlock import rwlock
    from dvc.lock import LockError
    import sys
    try:
        with rwlock(repo.tmp_dir, repo.fs, "stock", {read}, {write}, {hardlink}):
            print("ready", flush=True)
            sys.stdin.readline()
    except LockError as error:
        print("refused", "mlctl run" in str(error), flush=True)
"""


@pytest.mark.parametrize(
    ("read", "write", "busy"),
    [
        (["/r/data/raw"], [], True),
        (["/r/other"], ["/r/other2"], False),
        (["/r/model"], [], False),
        ([], ["/r/model"], True),
        (["/r/data"], [], True),
        (["/r/data/raw/x"], [], True),
        (["/r/data/rawer"], [], False),
    ],
)
def test_path_locks_against_stock_dvc(repo, read, write, busy) -> None:
    config = load_config(str(repo))
    mine = PathLocks(config, "mlctl run")
    mine.publish(["/r/model"], ["/r/data/raw"])
    child = stock(repo, RWLOCK.format(read=read, write=write, hardlink=False))
    assert child.stdout is not None
    assert child.stdout.readline() == ("refused True\n" if busy else "ready\n")
    child.communicate("\n")
    mine.withdraw(["/r/model"], ["/r/data/raw"])
    assert json.loads((repo / ".dvc/tmp/rwlock").read_text()) == {"write": {}, "read": {}}

    child = stock(repo, RWLOCK.format(read=["/r/model"], write=["/r/data/raw"], hardlink=False))
    until_ready(child)
    if busy:
        with pytest.raises(Busy, match=rf"process {child.pid} \(stock\)"):
            mine.publish(read, write)
    else:
        mine.publish(read, write)
    child.communicate("\n")
    mine.publish(read, write)


def test_entries_of_dead_processes_are_deleted(repo) -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    dead = {"pid": child.pid, "cmd": "killed"}
    path = repo / ".dvc/tmp/rwlock"
    path.write_text(json.dumps({"write": {"/r/a": dead}, "read": {"/r/b": [dead], "/r/c": [dead]}}))
    mine = PathLocks(load_config(str(repo)), "mlctl run")
    mine.publish([], ["/r/a", "/r/b"])
    me = {"pid": os.getpid(), "cmd": "mlctl run"}
    assert json.loads(path.read_text()) == {"write": {"/r/a": me, "/r/b": me}, "read": {}}


def test_two_of_our_stages_may_read_one_path(repo) -> None:
    path = repo / ".dvc/tmp/rwlock"
    mine = PathLocks(load_config(str(repo)), "mlctl run")
    mine.publish(["/r/x"], ["/r/one"])
    mine.publish(["/r/x"], ["/r/two"])
    mine.withdraw(["/r/x"], ["/r/one"])
    left = json.loads(path.read_text())
    assert (list(left["read"]), list(left["write"])) == (["/r/x"], ["/r/two"])
    mine.withdraw(["/r/x"], ["/r/two"])
    assert json.loads(path.read_text()) == {"write": {}, "read": {}}


@pytest.mark.parametrize("text", ["{", "[]", '{"write": {"/x": {"pid": "no"}}}', '{"read": 3}'])
def test_a_damaged_file_is_named(repo, text) -> None:
    (repo / ".dvc/tmp/rwlock").write_text(text)
    with pytest.raises(InvalidInput, match="rwlock"):
        PathLocks(load_config(str(repo)), "x").publish(["/x"], [])
    assert (repo / ".dvc/tmp/rwlock").read_text() == text
