"""The local executor with real processes."""

import os
import signal
import threading
import time

import pytest

from mlctl.executors import Job
from mlctl.executors._tail import Tail
from mlctl.executors.local import Executor


@pytest.fixture
def job(tmp_path):
    def make(*commands, **options):
        log = str(tmp_path / "stage.log")
        return Job("train", commands, str(tmp_path), options.pop("env", {}), log, **options)

    return make


def read(job):
    with open(job.log) as file:
        return file.read()


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def ended(pid):
    """Whether the process ends: the kernel delivers a SIGKILL a moment after it was sent."""
    end = time.monotonic() + 10
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_commands_run_in_order_and_write_one_log(job):
    todo = job("echo one", "echo two >&2", env={"WORD": "three"})
    end = Executor().run(todo)
    assert (end.code, read(todo)) == (0, "one\ntwo\n")
    assert end.cpu_seconds is not None


def test_a_failing_command_ends_the_job(job):
    todo = job("echo one", "exit 3", "echo never")
    assert Executor().run(todo).code == 3
    assert read(todo) == "one\n"


def test_a_timeout_ends_the_whole_group(job, tmp_path):
    todo = job(f"sleep 60 & echo $! > {tmp_path}/pid; sleep 60", timeout=0.5)
    began = time.monotonic()
    end = Executor().run(todo)
    assert end.timed_out
    assert time.monotonic() - began < 10
    assert ended(int((tmp_path / "pid").read_text()))


def test_a_background_process_left_behind_does_not_block(job):
    began = time.monotonic()
    assert Executor().run(job("sleep 30 & echo done")).code == 0
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancel_ends_children_and_grandchildren(job, tmp_path, stubborn):
    trap = "trap '' INT TERM; " if stubborn else ""
    todo = job(f"{trap}(sleep 60 & echo $! > {tmp_path}/pid; wait); sleep 60")
    executor, ends = Executor(), []
    thread = threading.Thread(target=lambda: ends.append(executor.run(todo)))
    thread.start()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    executor.cancel(now=stubborn)
    thread.join(timeout=15)
    assert ends[0].cancelled
    time.sleep(0.1)
    assert ended(int((tmp_path / "pid").read_text()))


def test_a_killed_command_tells_its_signal(job):
    assert Executor().run(job("kill -9 $$")).code == -signal.SIGKILL


def test_the_tail_hands_on_whole_lines_only(tmp_path):
    lines = []
    tail = Tail(lambda address, line: lines.append((address, line)))
    log = tmp_path / "log"
    log.touch()
    tail.follow("a", str(log))
    with open(log, "ab", buffering=0) as file:
        file.write(b"first\nhal")
        time.sleep(0.2)
        assert lines == [("a", "first")]
        file.write(b"f\nlast \xff")
    tail.release("a")
    tail.close()
    assert lines == [("a", "first"), ("a", "half"), ("a", "last \N{REPLACEMENT CHARACTER}")]
