"""Several processes at once, ours and DVC's: they wait or refuse, and never damage each other."""

import hashlib
import json
import os
import subprocess
import sys
import time

import pytest
import yaml

from e2e.sandbox import DVC, MLCTL, overlap, stamp, wait_until
from mlctl.store.config import load_config
from mlctl.store.locks import repo_lock

M = f"{sys.executable} -m mlctl"
D = f"{sys.executable} -m dvc"


def busy_until(name, *, started="started", go="go"):
    """A stage that says that it runs, and ends when it is told to."""
    wait = f"until test -e {go}; do sleep 0.02; done"
    return {
        "cmd": f"echo x >> {started}; {wait}; echo {name} > {name}.out",
        "outs": [f"{name}.out"],
    }


def count(box, name="started"):
    path = box.root / name
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_disjoint_targets_run_at_once(box):
    box.stages({"a": stamp("a", 1.5), "b": stamp("b", 1.5)})
    with box.started("run", "a") as one, box.started("run", "b") as other:
        assert one.wait(30) == other.wait(30) == 0
    spans = box.spans()
    assert overlap(spans["a"], spans["b"])
    assert box.locked() == {"a", "b"}
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_many_processes_lose_no_entry(box):
    names = [f"s{n}" for n in range(6)]
    box.stages({name: stamp(name, 0.1) for name in names})
    runs = [
        subprocess.Popen([*MLCTL, "run", "-q", n], cwd=box.root, stdout=subprocess.PIPE)
        for n in names
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * 6, said
    assert box.locked() == set(names)
    assert sorted(box.read(".gitignore").splitlines()) == [f"/{name}.out" for name in names]


def test_the_same_target_waits_and_is_not_run_twice(box):
    box.stages({"a": busy_until("a")})
    with box.started("run", "a") as one:
        wait_until(lambda: count(box) == 1)
        with box.started("run", "a") as other:
            time.sleep(1.5)
            assert other.poll() is None
            box.write("go", "")
            assert one.wait(20) == 0
            said = other.communicate(timeout=20)[0]
            assert other.returncode == 0, said
    assert f"process {one.pid}" in said
    assert count(box) == 1
    assert len(box.records()) == 1


def test_two_runs_of_everything_run_each_stage_once(box):
    needs = {"a": (), "b": (), "c": ("a",), "d": ("b",), "e": ("c", "d")}
    box.stages({name: stamp(name, 0.3, deps=deps) for name, deps in needs.items()})
    with box.started("run", "-j2") as one, box.started("run", "-j2") as other:
        said = [run.communicate(timeout=60)[0] for run in (one, other)]
        assert (one.returncode, other.returncode) == (0, 0), said
    assert sorted(box.ran()) == sorted(needs)
    assert box.locked() == set(needs)
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_who_waits_goes_on_when_the_holder_is_killed(box):
    """Not beside what the killed one was running: only when that is gone."""
    alive = "grep -s 'State:.[RSDT]' /proc/$(cat pid)/status >> beside; echo $$ > pid; "
    stage = busy_until("a")
    box.stages({"a": {**stage, "cmd": f"touch pid; {alive}{stage['cmd']}"}})
    with box.started("run") as one:
        wait_until(lambda: count(box) == 1)
        with box.started("run") as other:
            time.sleep(1)
            assert other.poll() is None
            one.kill()
            wait_until(lambda: count(box) == 2)
            box.write("go", "")
            said = other.communicate(timeout=20)[0]
            assert other.returncode == 0, said
    assert box.read("beside") == ""
    assert box.locked() == {"a"}


def test_no_wait_ends_with_4_and_names_the_holder(box):
    box.stages({"a": busy_until("a")})
    with box.started("run", "a") as one:
        wait_until(lambda: count(box) == 1)
        other = box.mlctl("run", "a", "--no-wait")
        box.write("go", "")
        assert one.wait(20) == 0
    assert other.returncode == 4
    assert f"process {one.pid}" in other.stdout + other.stderr
    assert "Traceback" not in other.stderr
    assert len(box.records()) == 1


def test_no_wait_names_the_holder_for_machines_too(box):
    box.stages({"a": busy_until("a"), "b": stamp("b")})
    with box.started("run", "a") as one:
        wait_until(lambda: count(box) == 1)
        other = box.mlctl("run", "--no-wait", "--keep-going", "--json")
        box.write("go", "")
        assert one.wait(20) == 0
    assert other.returncode == 4
    events = [json.loads(line) for line in other.stdout.splitlines()]
    ends = {e["stage"]: e for e in events if e["event"] == "stage_finished"}
    assert f"process {one.pid} (mlctl run a)" in ends["a"]["message"]
    assert ends["b"]["outcome"] == "ran"  # what nobody holds is done all the same


def test_a_reader_waits_for_the_writer(box):
    """`b` reads what another process is writing."""
    box.stages(
        {"a": busy_until("a"), "b": {"cmd": "cp a.out b.out", "deps": ["a.out"], "outs": ["b.out"]}}
    )
    with box.started("run", "a") as one:
        wait_until(lambda: count(box) == 1)
        with box.started("run", "b") as other:
            time.sleep(1)
            assert other.poll() is None
            box.write("go", "")
            assert one.wait(20) == 0
            assert other.wait(20) == 0
    assert count(box) == 1
    assert box.read("b.out") == "a\n"


def test_two_readers_run_at_once(box):
    box.write("in", "x")
    stages = {n: stamp(n, 1.2) for n in "ab"}
    for stage in stages.values():
        stage["deps"].append("in")
    box.stages(stages)
    with box.started("run", "a") as one, box.started("run", "b") as other:
        assert one.wait(30) == other.wait(30) == 0
    spans = box.spans()
    assert overlap(spans["a"], spans["b"])


def test_dvc_repro_refuses_beside_us(box):
    box.stages({"a": busy_until("a")})
    with box.started("run", "a") as one:
        wait_until(lambda: count(box) == 1)
        theirs = box.dvc("repro", "a")
        box.write("go", "")
        assert one.wait(20) == 0
    assert theirs.returncode != 0
    assert str(one.pid) in theirs.stderr
    assert count(box) == 1
    assert box.dvc("repro", "a").stdout.count("Running") == 0


def test_we_wait_beside_dvc_repro(box):
    box.stages({"a": busy_until("a")})
    with box.started("repro", "a", program=DVC) as theirs:
        wait_until(lambda: count(box) == 1)
        refused = box.mlctl("run", "a", "--no-wait")
        assert refused.returncode == 4
        assert str(theirs.pid) in refused.stdout + refused.stderr
        with box.started("run", "a") as ours:
            time.sleep(1)
            assert ours.poll() is None
            box.write("go", "")
            assert theirs.wait(20) == 0
            assert ours.wait(20) == 0
    assert count(box) == 1


def test_dvc_beside_us_sees_what_is_finished_as_finished_or_refuses(box):
    """Between a stage's end and the fold of the lock, DVC must not run it again."""
    box.stages(
        {
            "a": {"cmd": "echo x >> ran; echo a > a.out", "outs": ["a.out"], "deps": ["stamp.py"]},
            "b": busy_until("b"),
        }
    )
    with box.started("run", "-j2") as one:
        wait_until(lambda: count(box, "ran") == 1 and count(box) == 1)
        box.dvc("repro", "a")
        box.write("go", "")
        assert one.wait(20) == 0
    assert count(box, "ran") == 1
    assert box.locked() == {"a", "b"}


@pytest.mark.parametrize(
    "command",
    [
        f"{D} add -q other.txt",
        f"{D} status -q",
        f"{D} repro -q -s other",
        f"{M} status",
        f"{M} run other",
        f"{M} logs a",
        f"{M} plan",
    ],
)
def test_verbs_inside_a_stage_do_not_deadlock(box, command):
    box.write("other.txt", "x")
    box.stages(
        {
            "a": {"cmd": f"{command} && touch a.out", "outs": ["a.out"]},
            "other": {"cmd": "echo o > other.out", "outs": ["other.out"]},
        }
    )
    done = box.mlctl("run", "a", timeout=40)
    # `dvc status -q` ends with 1 where anything is changed, as the stage itself is.
    expected = 1 if "status -q" in command else 0
    assert done.returncode == expected, done.stdout
    if "other" in command.split()[-1] and "add" not in command:
        assert box.locked() == {"a", "other"}
    assert box.run("run", "-P")[0] == expected


@pytest.mark.parametrize("verb", ["run a", "run"])
def test_a_stage_that_runs_itself_is_refused(box, verb):
    box.stages({"a": {"cmd": f"{M} {verb}; echo inner $? > inner; touch a.out", "outs": ["a.out"]}})
    done = box.mlctl("run", timeout=40)
    assert done.returncode == 0, done.stdout
    assert box.read("inner") == "inner 4\n"


def test_edits_of_the_lock_by_others_are_kept(box):
    """Another tool adds an entry to dvc.lock while we run."""
    box.stages({"a": busy_until("a"), "b": stamp("b")})
    with box.started("run", "a") as one:
        wait_until(lambda: count(box) == 1)
        assert box.dvc("repro", "-q", "b").returncode == 0
        box.write("go", "")
        assert one.wait(20) == 0
    assert box.locked() == {"a", "b"}
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_a_pipeline_edited_while_it_runs(box):
    """A stage added to dvc.yaml during a run is simply not part of it."""
    stages = {"a": busy_until("a")}
    box.stages(stages)
    with box.started("run") as one:
        wait_until(lambda: count(box) == 1)
        box.stages({**stages, "new": stamp("new")})
        box.write("go", "")
        assert one.wait(20) == 0
    assert box.locked() == {"a"}
    assert {s["stage"]: s["changed"] for s in box.json("status")["steps"]} == {
        "a": False,
        "new": True,
    }


def test_the_rwlock_of_a_dead_process_holds_nobody(box):
    box.stages({"a": stamp("a")})
    dead = subprocess.Popen(["true"])
    dead.wait()
    entry = {"pid": dead.pid, "cmd": "dvc repro"}
    box.write(
        ".dvc/tmp/rwlock", json.dumps({"write": {str(box.root / "a.out"): entry}, "read": {}})
    )
    assert box.mlctl("run", timeout=20).returncode == 0
    assert yaml.safe_load(box.read(".dvc/tmp/rwlock")) == {"write": {}, "read": {}}


def test_many_short_stages_beside_one_that_another_process_holds(box):
    """Stages are claimed several at a time; one that is held by another keeps none of them up."""
    box.stages({f"s{n:02}": stamp(f"s{n:02}") for n in range(40)})
    table = {"write": {str(box.root / "s30.out"): {"pid": os.getpid(), "cmd": "test"}}, "read": {}}
    box.write(".dvc/tmp/rwlock", json.dumps(table))
    done = box.mlctl("run", "-j2", "--no-wait", "--keep-going")
    assert done.returncode == 4, done
    assert f"process {os.getpid()} (test)" in done.stdout + done.stderr
    assert box.locked() == {f"s{n:02}" for n in range(40)} - {"s30"}
    assert json.loads(box.read(".dvc/tmp/rwlock")) == table


def test_dvc_repro_and_mlctl_run_of_a_whole_pipeline_at_once(box):
    """Whoever comes second waits or refuses; what both leave is whole, and neither runs again."""
    names = [f"s{n}" for n in range(8)]
    box.stages(
        {n: stamp(n, 0.3, deps=(f"s{i - 4}",) if i >= 4 else ()) for i, n in enumerate(names)}
    )
    with (
        box.started("repro", "-P", program=DVC) as theirs,
        box.started("run", "-j4", "--keep-going") as ours,
    ):
        said = theirs.communicate(timeout=60)[0]
        told = ours.communicate(timeout=60)[0]
    assert ours.returncode == 0, told
    assert theirs.returncode == 0 or str(ours.pid) in said, said
    assert "Traceback" not in said + told
    assert sorted(box.ran()) == names, "no stage ran twice"
    assert box.locked() == set(names)
    assert {name: box.read(f"{name}.out") for name in names} == {name: name for name in names}
    for path in (box.root / ".dvc/cache/files/md5").glob("*/*"):
        assert hashlib.md5(path.read_bytes()).hexdigest() == path.parent.name + path.name
    assert box.dvc("status", "--json").stdout.strip() == "{}"
    assert "Running" not in box.dvc("repro", "-P").stdout
    assert not any(s["changed"] for s in box.json("status")["steps"])


def test_what_was_claimed_ahead_is_given_back_while_a_long_stage_runs(box):
    """Short stages make the run claim the next ones; then a long one starts before those."""
    names = [f"s{n:02}" for n in range(12)]
    box.stages(
        {**{name: stamp(name) for name in names}, "long": busy_until("long"), "z": stamp("z")}
    )
    with box.started("run", "-j1") as run:
        wait_until(lambda: count(box) == 1)
        other = box.mlctl("run", "z")
        assert run.poll() is None
        box.write("go", "")
        assert run.wait(20) == 0
    assert other.returncode == 0, other
    assert box.spans()["z"][1] < float("inf")
    assert box.locked() == {*names, "long", "z"}


def test_a_held_repository_does_not_stop_a_run(box):
    """As during a long `dvc push`: stages go on, and come into the lock when it is free."""
    box.stages({"a": stamp("a"), "b": busy_until("b"), "c": stamp("c")})
    config = load_config(str(box.root))
    with box.started("run", "-j1") as run:
        wait_until(lambda: count(box) == 1)
        with repo_lock(config):
            time.sleep(3)  # a fold is due every two seconds
            box.write("go", "")
            wait_until(lambda: "c" in box.ran(), 5)
        assert run.wait(20) == 0
    assert box.locked() == {"a", "b", "c"}
