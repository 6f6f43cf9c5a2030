"""No process outlives its run: mlctl is killed, and its watcher ends what is left."""

import os
import signal
import subprocess
import sys
import time

import pytest

from e2e.sandbox import is_alive, stamp, wait_until
from faults.processes import of_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are known from /proc")

# How a stage may leave processes behind; each writes its number into the file `pid`.
LEAVES = {
    "a child": "echo $$ > pid; sleep 60",
    "a grandchild": "sleep 60 & echo $! > pid; wait",
    "in a session of its own": "setsid -w sh -c 'echo $$ > pid; exec sleep 60'",
    "forked twice": "(setsid sh -c 'echo $$ > pid; exec sleep 60' &) ; sleep 60",
    "without its environment": "env -i /bin/sh -c 'echo $$ > pid; sleep 60'",
    "deaf": "trap '' INT TERM HUP; echo $$ > pid; while :; do sleep 0.1; done",
    "stopped": "echo $$ > pid; kill -STOP $$",
}


def started(box):
    wait_until(lambda: (box.root / "pid").exists() and box.read("pid").strip())
    return int(box.read("pid"))


def watchers(box):
    folder = box.root / ".mlctl" / "watch"
    return sorted(os.listdir(folder)) if folder.exists() else []


@pytest.mark.parametrize("how", LEAVES)
def test_nothing_outlives_a_killed_mlctl(how, box):
    box.stages({"a": {"cmd": LEAVES[how], "outs": ["a.out"]}})
    with box.started("run") as run:
        pid = started(box)
        run.kill()
    wait_until(lambda: not is_alive(pid), 6)
    wait_until(lambda: not watchers(box), 2)


def test_nothing_outlives_an_interrupted_run(box):
    """A process that left its group and session is not reached by the signals to the stage."""
    box.stages({"a": {"cmd": LEAVES["forked twice"], "outs": ["a.out"]}})
    with box.started("run") as run:
        pid = started(box)
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 130
    assert not is_alive(pid)
    assert not watchers(box)


@pytest.mark.parametrize("how", ["a grandchild", "forked twice"])
def test_nothing_outlives_a_run_whose_stage_was_killed(how, box):
    box.stages({"a": {"cmd": f"echo $$ > shell; {LEAVES[how]}", "outs": ["a.out"]}})
    with box.started("run") as run:
        pid = started(box)
        os.kill(int(box.read("shell")), signal.SIGKILL)
        assert run.wait(20) == 1
    assert not is_alive(pid)


def test_a_retry_does_not_start_beside_what_is_left_of_the_last_try(box):
    cmd = "test -e pid && exec cp /proc/$(cat pid)/status a.out; sleep 60 & echo $! > pid; exit 1"
    box.stages({"a": {"cmd": cmd, "outs": ["a.out"], "meta": {"mlctl": {"retries": 1}}}})
    assert box.mlctl("run").returncode == 1 or "Z (zombie)" in box.read("a.out")


def test_what_a_stage_leaves_on_purpose_stays_after_a_run(box):
    box.stages({"a": {"cmd": "setsid sleep 30 & echo $! > pid; touch a.out", "outs": ["a.out"]}})
    assert box.mlctl("run").returncode == 0
    time.sleep(0.3)
    pid = started(box)
    assert is_alive(pid)
    assert not watchers(box)
    os.kill(pid, signal.SIGKILL)


def test_a_run_inside_a_stage_dies_with_the_outer_one(box):
    inner = f"{sys.executable} -m mlctl run b"
    box.stages(
        {
            "a": {"cmd": f"{inner}; touch a.out", "outs": ["a.out"]},
            "b": {"cmd": LEAVES["forked twice"], "outs": ["b.out"]},
        }
    )
    with box.started("run", "a", env={"FAULTS": box.root.name}) as run:
        pid = started(box)
        run.kill()
    wait_until(lambda: not is_alive(pid), 10)
    wait_until(lambda: not of_run(f"DVC_ROOT={box.root}"), 10)
    wait_until(lambda: not watchers(box), 2)


def test_the_end_of_an_inner_run_leaves_the_outer_one_alone(box):
    inner = f"{sys.executable} -m mlctl run b"
    box.stages(
        {
            "a": {"cmd": f"sleep 60 & echo $! > pid; {inner}; kill -0 $!", "deps": ["stamp.py"]},
            "b": {"cmd": "touch b.out", "outs": ["b.out"]},
        }
    )
    assert box.mlctl("run", "a").returncode == 0
    pid = started(box)
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_the_next_run_does_not_start_beside_an_orphan(box):
    """It waits until the deaf process is gone; with `--no-wait` it is refused, and says why."""
    cmd = (
        "if test -e again; then grep -s 'State:.[RSDT]' /proc/$(cat pid)/status >> beside; "
        f"touch a.out; exit; fi; {LEAVES['deaf']}"
    )
    box.stages({"a": {"cmd": cmd, "outs": ["a.out"]}})
    with box.started("run") as run:
        started(box)
        run.kill()
    box.write("again", "")
    refused = box.mlctl("run", "--no-wait")
    assert refused.returncode == 4, refused.stdout
    assert f"what is left of process {run.pid} " in refused.stdout + refused.stderr
    done = box.mlctl("run")
    assert done.returncode == 0, done.stdout
    assert box.read("beside") == ""


def test_a_run_killed_with_its_watcher_is_ended_by_the_next_run(box):
    box.stages({"a": {"cmd": LEAVES["deaf"], "outs": ["a.out"]}, "b": stamp("b")})
    with box.started("run", "a") as run:
        pid = started(box)
        (name,) = watchers(box)
        (watcher,) = subprocess.run(
            ["pgrep", "-f", f"_watcher.py {name.partition('-')[2]}"], capture_output=True, text=True
        ).stdout.split()
        os.kill(int(watcher), signal.SIGKILL)
        run.kill()
    time.sleep(0.3)
    assert is_alive(pid)
    assert box.mlctl("run", "b").returncode == 0
    wait_until(lambda: not is_alive(pid), 6)
    wait_until(lambda: not watchers(box), 2)


def test_a_watcher_holds_nothing_of_the_run(box):
    box.stages({"a": {"cmd": "echo $$ > pid; sleep 60", "outs": ["a.out"]}})
    with box.started("run") as run:
        started(box)
        (name,) = watchers(box)
        (pid,) = subprocess.run(
            ["pgrep", "-f", f"_watcher.py {name.partition('-')[2]}"], capture_output=True, text=True
        ).stdout.split()
        wait_until(lambda: os.readlink(f"/proc/{pid}/cwd") == "/", 5)  # the last that it sets up
        held = {os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
        assert os.getsid(int(pid)) == int(pid)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(int(pid), number)
        time.sleep(0.2)
        assert is_alive(int(pid))
        run.send_signal(signal.SIGINT)
        run.wait(20)
        wait_until(lambda: not is_alive(int(pid)), 2)
    files = {path for path in held if not path.startswith("pipe:")}
    assert files == {"/dev/null", str(box.root / ".mlctl" / "watch" / name)}


def test_a_run_without_a_stage_to_run_starts_no_watcher(box):
    box.stages({"a": stamp("a")})
    assert box.run("run")[0] == 0
    before = (box.root / ".mlctl" / "watch").stat().st_mtime_ns
    assert box.run("run")[0] == 0
    assert (box.root / ".mlctl" / "watch").stat().st_mtime_ns == before


def test_a_run_whose_watcher_is_killed_is_left_alone(box):
    """Its file is held by mlctl, too: the next run must not take its stages for left behind."""
    slow = {"cmd": "echo $$ > pid; sleep 3; echo a > a.out", "outs": ["a.out"]}
    box.stages({"a": slow, "b": stamp("b")})
    with box.started("run", "a") as run:
        started(box)
        (name,) = watchers(box)
        (watcher,) = watchers_of(name)
        os.kill(watcher, signal.SIGKILL)
        other = box.mlctl("run", "b")
        assert other.returncode == 0, other
        assert run.wait(20) == 0, run.communicate()[0]
    assert name not in watchers(box)
    assert box.locked() == {"a", "b"}


def watchers_of(name):
    """The processes that were started as the watcher that holds the file `name`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                if "_watcher.py" in (line := file.read()) and name in line:
                    found.append(int(pid))
        except OSError:  # it has just ended
            continue
    return found
