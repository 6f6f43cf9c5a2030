"""Killed at any moment: nothing is left running, nothing finished is lost, and it can go on."""

import itertools
import os
import signal
import subprocess
import time

import pytest

from e2e.sandbox import MLCTL, is_alive, stamp, wait_until

# Leaves its own pid and that of a grandchild, and waits.
FAMILY = "sleep 60 & echo $! > grandchild; echo $$ > child; wait"
# Hears neither Ctrl-C nor SIGTERM, and neither does its child.
STUBBORN = "trap '' INT TERM; echo $$ > child; while :; do sleep 0.1; done"


def family(cmd=FAMILY):
    return {"cmd": cmd, "deps": ["done.out"], "outs": ["family.out"]}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_and_keeps_what_is_done(box, number, code):
    box.stages(
        {"done": stamp("done"), "family": family(), "after": stamp("after", deps=("family",))}
    )
    with box.started("run", "-j2") as run:
        wait_until(lambda: (box.root / "child").exists())
        run.send_signal(number)
        said = run.communicate(timeout=20)[0]
    assert run.returncode == code, said
    assert "Traceback" not in said
    assert "Interrupted" in said
    for name in ("child", "grandchild"):
        assert not is_alive(int(box.read(name)))
    assert box.locked() == {"done"}
    (head,) = box.records()
    assert head["status"] == "interrupted"
    box.forget_times()
    box.stages(
        {
            "done": stamp("done"),
            "family": family("touch family.out"),
            "after": stamp("after", deps=("family",)),
        }
    )
    assert box.run("run", "-j2")[0] == 0
    assert box.ran() == ["after"]
    assert _nothing_held(box)


def test_a_second_ctrl_c_kills_a_stubborn_stage_at_once(box):
    box.stages({"done": stamp("done"), "family": family(STUBBORN)})
    with box.started("run") as run:
        wait_until(lambda: (box.root / "child").exists())
        run.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert run.poll() is None
        begin = time.monotonic()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        assert time.monotonic() - begin < 4
    assert run.returncode == 130
    assert not is_alive(int(box.read("child")))


def test_a_stubborn_stage_is_killed_in_the_end(box):
    box.stages({"done": stamp("done"), "family": family(STUBBORN)})
    with box.started("run") as run:
        wait_until(lambda: (box.root / "child").exists())
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=25)
    assert run.returncode == 143
    assert not is_alive(int(box.read("child")))


def test_a_stage_may_end_itself_well_on_ctrl_c(box):
    box.stages(
        {
            "a": {
                "cmd": "trap 'echo saved > checkpoint; exit 1' INT TERM; touch child; "
                "while :; do sleep 0.1; done",
                "outs": ["a.out"],
            }
        }
    )
    with box.started("run") as run:
        wait_until(lambda: (box.root / "child").exists())
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
    assert run.returncode == 130
    assert box.read("checkpoint") == "saved\n"


def test_ctrl_c_in_a_terminal_reaches_all_once(box):
    """The terminal signals its whole foreground group; stages are in groups of their own."""
    box.stages({"done": stamp("done"), "family": family()})
    run = subprocess.Popen(
        [*MLCTL, "run"], cwd=box.root, stdout=subprocess.PIPE, start_new_session=True
    )
    wait_until(lambda: (box.root / "child").exists())
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=20)
    assert run.returncode == 130
    assert not is_alive(int(box.read("grandchild")))


def test_a_closed_terminal_ends_the_stages(box):
    box.stages({"done": stamp("done"), "family": family()})
    with box.started("run") as run:
        wait_until(lambda: (box.root / "child").exists())
        run.send_signal(signal.SIGHUP)
        run.communicate(timeout=20)
    wait_until(lambda: not is_alive(int(box.read("grandchild"))), 5)
    assert box.locked() == {"done"}


def test_nohup_is_honoured(box):
    box.stages({"a": stamp("a", 1)})
    with box.started("-c", 'trap "" HUP; exec "$@"', "sh", *MLCTL, "run", program=["sh"]) as run:
        wait_until(lambda: box.ran() == ["a"])
        run.send_signal(signal.SIGHUP)
        assert run.wait(20) == 0


@pytest.mark.parametrize("after", [0.3, 2.5])
def test_killed_in_the_middle_and_taken_up_again(box, after):
    """Before the first fold of the journal, and after it."""
    box.stages(
        {
            "one": stamp("one"),
            "two": stamp("two", deps=("one",)),
            "wait": stamp("wait", after, deps=("two",)),
            "long": stamp("long", 3, deps=("wait",)),
        }
    )
    with box.started("run", "-j2") as run:
        wait_until(lambda: "long" in box.ran())
        run.kill()
        run.wait(10)
    box.forget_times()
    code, said = box.run("run", "-j2")
    assert code == 0, said
    assert box.ran() == ["long"]
    assert box.locked() == {"one", "two", "wait", "long"}
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_after_a_kill_status_knows_what_was_done(box):
    box.stages({"one": stamp("one"), "long": stamp("long", 3, deps=("one",))})
    with box.started("run") as run:
        wait_until(lambda: "long" in box.ran())
        run.kill()
        run.wait(10)
    steps = box.json("status")["steps"]
    assert {step["stage"]: step["changed"] for step in steps} == {"one": False, "long": True}


def test_killed_again_and_again(box):
    """At twelve moments, each a little later; what is done stays done, and it ends well."""
    names = [f"s{number}" for number in range(8)]
    stages = {names[0]: stamp(names[0])}
    for before, name in itertools.pairwise(names):
        stages[name] = stamp(name, 0.05, deps=(before,))
    box.stages(stages)
    for number in range(12):
        with box.started("run", "-j2") as run:
            time.sleep(0.25 + 0.06 * number)
            run.kill()
            run.wait(10)
        locked = box.locked()
        code, _ = box.run("status")
        assert code == 0
        assert locked <= box.locked()
    time.sleep(0.2)
    assert box.mlctl("run", "-j2").returncode == 0
    assert box.locked() == set(names)
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_ctrl_c_while_waiting_for_another_process(box):
    box.stages({"a": stamp("a", 30)})
    with box.started("run") as holder:
        wait_until(lambda: box.ran() == ["a"])
        with box.started("run") as waiting:
            time.sleep(1.5)
            assert waiting.poll() is None
            waiting.send_signal(signal.SIGINT)
            said = waiting.communicate(timeout=10)[0]
            assert waiting.returncode == 130, said
        assert holder.poll() is None
        holder.send_signal(signal.SIGINT)
        holder.wait(20)


def test_ctrl_c_during_retries_does_not_try_again(box):
    box.stages(
        {
            "a": {
                "cmd": "echo x >> tries; sleep 30",
                "outs": ["a.out"],
                "meta": {"mlctl": {"retries": 3}},
            }
        }
    )
    with box.started("run") as run:
        wait_until(lambda: (box.root / "tries").exists())
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
    assert run.returncode == 130
    assert box.read("tries") == "x\n"


@pytest.mark.parametrize("verb", [["status"], ["plan"], ["dag"], ["--help"], ["run", "--dry-run"]])
def test_a_closed_pipe_is_no_error(box, verb):
    names = [f"a_stage_with_quite_a_long_name_{n}" for n in range(300)]
    box.stages({name: {"cmd": "true", "outs": [name]} for name in names})
    process = subprocess.Popen(
        [*MLCTL, *verb], cwd=box.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) in {0, 141}
    assert said == ""


def test_a_pipe_closed_in_the_middle_of_a_run(box):
    """`mlctl run | head -1`: no traceback, no stage left running, what was done is recorded."""
    box.stages(
        {
            "done": stamp("done"),
            "family": family("echo $$ > child; while :; do echo talk; sleep 0.05; done"),
        }
    )
    process = subprocess.Popen(
        [*MLCTL, "run"], cwd=box.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    wait_until(lambda: (box.root / "child").exists())
    process.stdout.close()
    assert process.wait(20) == 141
    assert process.stderr.read() == ""
    process.stderr.close()
    assert not is_alive(int(box.read("child")))
    assert _nothing_held(box)
    box.run("status")
    assert box.locked() == {"done"}


def _nothing_held(box):
    path = box.root / ".dvc" / "tmp" / "rwlock"
    return not path.exists() or '"pid"' not in path.read_text()


def test_a_background_process_does_not_hold_up_the_run(box):
    box.stages({"a": {"cmd": "sleep 5 & echo started; touch a.out", "outs": ["a.out"]}})
    begin = time.monotonic()
    assert box.mlctl("run").returncode == 0
    assert time.monotonic() - begin < 4
