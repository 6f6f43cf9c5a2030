"""Another process holds the repository when a run has something to record, and Ctrl-C comes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from e2e.sandbox import stamp, wait_until

HOLD = """\
import sys, time
from mlctl.store.config import load_config
from mlctl.store.locks import repo_lock
with repo_lock(load_config(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
SOON = 8.0  # seconds


@pytest.fixture(params=["", "[core]\n    hardlink_lock = true\n"], ids=["flock", "hard link"])
def holder(request, box):
    """A process that holds `.dvc/tmp/lock` until its standard input is closed."""
    box.write(".dvc/config", request.param)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(box.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process


def is_done(box, name):
    """Whether the stage's end is in the journal."""
    journals = (box.root / ".mlctl" / "journal").glob("*.jsonl")
    return any(f'"stage": "{name}"' in journal.read_text() for journal in journals)


def end(run, number):
    """Signal the run; how it ended, and what it said."""
    begin = time.monotonic()
    run.send_signal(number)
    said = run.communicate(timeout=30)[0]
    assert time.monotonic() - begin < SOON
    assert "\nTraceback" not in said
    return run.returncode, said


def nothing_lost(box, holder, names):
    """The journal has what was done; once the lock is free, it gets into `dvc.lock`."""
    assert box.locked() == set()
    assert all(is_done(box, name) for name in names)
    assert not any(json.loads(box.read(".dvc/tmp/rwlock")).values())
    assert not os.listdir(box.root / ".mlctl" / "watch")
    (head,) = box.records()
    assert head["status"] == "interrupted"
    holder.stdin.close()
    holder.wait()
    box.forget_times()
    assert box.run("status")[0] == 0
    assert box.locked() == set(names)
    code, said = box.run("run")
    assert code == 0, said
    assert not set(box.ran()) & set(names)
    assert not os.listdir(box.root / ".mlctl" / "journal")
    assert box.dvc("status", "--json").stdout.strip() == "{}"
    assert box.git("status", "--porcelain", "a.out") == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_at_the_end_of_the_run(box, holder, number, code):
    box.stages({"a": stamp("a")})
    with box.started("run") as run:
        wait_until(lambda: is_done(box, "a"))
        time.sleep(1)
        assert run.poll() is None, "it waits"
        ended, said = end(run, number)
    assert ended == code, said
    assert said.count("waiting: the repository is locked") == 1
    assert "the repository is still locked: what is done" in said
    nothing_lost(box, holder, ["a"])


def test_while_another_stage_runs(box, holder):
    """What the run leaves to the journal it does not wait for: one Ctrl-C is enough."""
    box.stages({"a": stamp("a"), "b": stamp("b", 60, deps=("a",))})
    with box.started("run") as run:
        wait_until(lambda: "b" in box.ran())
        code, said = end(run, signal.SIGINT)
    assert code == 130, said
    box.stages({"a": stamp("a"), "b": stamp("b", deps=("a",))})
    nothing_lost(box, holder, ["a"])


def test_where_the_ignore_file_is_part_of_a_dep(box, holder):
    """Its line must be there before the next stage reads the folder: a worker waits for that."""
    made = {"cmd": "mkdir -p d; date > d/a.out", "outs": ["d/a.out"]}
    box.stages({"a": made, "b": {"cmd": "ls d > b.out", "deps": ["d"], "outs": ["b.out"]}})
    with box.started("run") as run:
        wait_until(lambda: is_done(box, "a"))
        time.sleep(1)
        code, said = end(run, signal.SIGINT)
    assert code == 130, said
    nothing_lost(box, holder, ["a"])
    assert box.read("d/.gitignore") == "/a.out\n"


def test_whoever_waits_goes_on(box, holder):
    box.stages({"a": stamp("a")})
    with box.started("run") as run:
        wait_until(lambda: is_done(box, "a"))
        time.sleep(1)
        holder.stdin.close()
        said = run.communicate(timeout=20)[0]
    assert run.returncode == 0, said
    assert said.count("waiting: the repository is locked") == 1
    assert box.locked() == {"a"}
