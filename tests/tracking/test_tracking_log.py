"""What a script logs is in the file when the call returns, whatever happens to the script next."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from mlctl.experiments import live
from mlctl.tracking import _warn
from mlctl.tracking._encode import json_line, metrics_line
from mlctl.tracking._lines import Lines
from mlctl.tracking._run import Run
from tracking.conftest import lines
from tracking.pythons import PYTHONS


@pytest.fixture(autouse=True)
def nothing_told():
    _warn._told.clear()


@pytest.fixture
def run(tmp_path):
    made = Run("id", str(tmp_path / "main"))
    yield made
    made.end()


def logged(run):
    return [(row["step"], row["metrics"]) for row in lines(read(run))]


def read(run):
    return Path(run.folder) / "metrics.jsonl"


def test_a_line_is_what_the_reader_of_live_runs_expects(tmp_path, run):
    run.log({"val/loss": 0.25}, acc=1, step=3)
    (line,) = live.step_lines([live.Source(run.folder, None)], 0.0)
    assert (line.step, line.metrics, line.rank) == (3, {"val/loss": 0.25, "acc": 1}, 0)


def test_without_a_step_it_is_the_one_after_the_last(run):
    run.log(a=1)
    run.log(a=2)
    run.log(step=10.5, a=3)
    run.log(a=4)
    run.log(step=np.int64(3), a=5)
    run.log(a=6)
    assert [step for step, _ in logged(run)] == [0, 1, 10.5, 11.5, 3, 4]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, 0.1),
        (1e300, 1e300),
        (-0.0, 0.0),
        (True, 1),
        (2**53, 2**53),
        (2**80, 2.0**80),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (10**400, None),
        (np.float32(0.5), 0.5),
        (np.array([3]), 3),
        (np.float64("nan"), "NaN"),
        (torch.tensor(0.25, requires_grad=True), 0.25),
        (torch.tensor(2, dtype=torch.bfloat16), 2),
        (torch.ones(2), None),
        ("0.5", None),
        (None, None),
        ([1], None),
    ],
)
def test_numbers_of_all_kinds(value, expected):
    line = metrics_line({"m": value, "there": 1}, 0, 1.5)
    expected_metrics = {"there": 1} if expected is None else {"m": expected, "there": 1}
    assert json.loads(line) == {"metrics": expected_metrics, "step": 0, "time": 1.5}


@pytest.mark.parametrize("name", ['a"b\\', "é 漢\n", "\ud800", 3, ""])
def test_any_name_makes_one_valid_line(name):
    line = metrics_line({name: 1.0}, 0, 1.5)
    assert line.count(b"\n") == 1
    expected = str(name).encode("utf-8", "replace").decode()
    assert json.loads(line)["metrics"] == {expected: 1.0}


def test_what_is_no_number_is_told_once_and_the_rest_is_logged(run, caplog):
    for _ in range(3):
        run.log(loss=0.5, name="resnet")
    assert [metrics for _, metrics in logged(run)] == [{"loss": 0.5}] * 3
    assert [r.message for r in caplog.records] == [
        "mlctl: name is no number and is not logged: 'resnet'"
    ]


@pytest.mark.parametrize("step", ["x", float("nan"), None, [1]])
def test_a_step_that_is_no_number_is_the_next_one(run, step):
    run.log(step=4, a=1)
    run.log(step=step, a=2)
    assert [it for it, _ in logged(run)] == [4, 5]


def test_params_of_all_kinds(run):
    import argparse

    run.log_params({"lr": np.float32(0.5), "net": {"layers": (1, 2)}}, where=run.__class__)
    run.log_params(argparse.Namespace(seed=1, path=None))
    run.log_params(7)  # told, and passed over
    found = live.logged_params(live.Source(run.folder, None))
    assert found == {
        "lr": 0.5, "net": {"layers": [1, 2]}, "where": str(Run), "seed": 1, "path": None,
    }  # fmt: skip


def test_a_torn_last_line_is_repaired_by_whoever_comes_next(tmp_path):
    path = tmp_path / "deep" / "metrics.jsonl"
    path.parent.mkdir()
    path.write_bytes(b'{"step":1}\n{"step":')
    again = Lines(str(path))
    again.write(b'{"step":2}\n')
    again.write(b'{"step":3}\n')
    again.close()
    again.sync()
    again.write(b'{"step":4}\n')
    again.close()
    assert path.read_bytes() == b'{"step":1}\n{"step":\n{"step":2}\n{"step":3}\n{"step":4}\n'


def test_threads_do_not_mix_their_lines(run):
    def work(number):
        for _ in range(300):
            run.log({f"m{number}": number})

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = logged(run)
    assert sorted(step for step, _ in found) == list(range(2400))


@pytest.mark.parametrize("python", PYTHONS)
def test_a_killed_script_has_lost_nothing(project, python):
    script = project.root / "train.py"
    script.write_text(
        "import mlctl\n"
        "for step in range(10**9):\n"
        "    mlctl.log(step=step, loss=1 / (step + 1))\n"
        "    print(step, flush=True)\n"
    )
    process = subprocess.Popen(
        [python, "-S", script],
        cwd=project.root,
        env=project.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(200):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    last = 199 + sum(1 for _ in process.stdout)
    process.wait()
    steps = [step for step, _ in project.steps()]
    assert steps == list(range(len(steps)))
    assert len(steps) > last
    run_id = project.run().name
    assert live.has_ended(str(project.root), run_id)
    assert not (project.run() / "end.json").exists()


def test_a_full_disk_is_one_warning_and_training_goes_on(project):
    done = project.python("""
        import resource, signal
        import mlctl
        mlctl.log(step=0, loss=1)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
        for step in range(1, 1000):
            mlctl.log(step=step, loss=1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        import time
        time.sleep(1.1)
        mlctl.log(step=1000, loss=1)
        print("trained")
    """)
    assert done.stdout == "trained\n"
    assert done.stderr.count("\n") == 1
    assert "training goes on without it: OSError: [Errno 27] File too large" in done.stderr
    found = list(live.step_lines([live.Source(str(project.run() / "main"), None)], 0.0))
    assert (found[0].step, found[-1].step) == (0, 1000)
    assert len(found) < 10


def test_no_place_to_log_to_is_one_warning(project):
    (project.root / ".mlctl").write_text("in the way")
    done = project.python("""
        import mlctl
        with mlctl.start_run("a", params={"lr": 1}) as run:
            for step in range(100):
                mlctl.log(step=step, loss=1)
            mlctl.log_image("i", b"x")
            mlctl.log_artifact("script.py")
        mlctl.log(a=1)
        print("trained")
    """)
    assert done.stdout == "trained\n"
    assert done.stderr.count("\n") == 1
    assert "nothing will be logged" in done.stderr


def test_lines_come_to_the_disk_within_a_second(tmp_path):
    """A real `fsync` after the line, seen by its own calls."""
    script = tmp_path / "t.py"
    script.write_text(
        "import os, sys, threading, time\n"
        "synced, real = threading.Event(), os.fsync\n"
        "def fsync(handle):\n"
        "    real(handle)\n"
        "    synced.set()\n"
        "os.fsync = fsync\n"
        "from mlctl.tracking._lines import Lines, _PAUSE\n"
        "assert _PAUSE < 1\n"
        "lines = Lines(sys.argv[1])\n"
        "for _ in range(2):\n"
        "    lines.write(b'{}\\n')\n"
        "    assert synced.wait(30)\n"
        "    synced.clear()\n"
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path / "x.jsonl"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_forked_child_logs_too_and_leaves_the_end_to_its_parent(project):
    project.python("""
        import os, sys
        import mlctl
        mlctl.log(who=0)
        child = os.fork()
        if child == 0:
            mlctl.log(step=7, who=1)
            sys.exit(3)
        os.waitpid(child, 0)
        mlctl.log(who=2)
    """)
    assert project.steps() == [(0, {"who": 0}), (7, {"who": 1}), (1, {"who": 2})]
    assert project.end()["status"] == "finished"


def test_a_fork_while_other_threads_log_stops_nobody(project):
    project.python("""
        import os, threading
        import mlctl
        mlctl.log(a=0)
        over = threading.Event()
        def work():
            while not over.is_set():
                mlctl.log(a=1)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(30):
            child = os.fork()
            if child == 0:
                mlctl.log({"child": number})
                os._exit(0)
            os.waitpid(child, 0)
        over.set()
    """)
    found = [metrics["child"] for _, metrics in project.steps() if "child" in metrics]
    assert found == list(range(30))


def test_a_signal_within_a_call_may_log(project):
    project.python("""
        import signal, sys
        import mlctl
        def heard(number, frame):
            mlctl.log(heard=1)
        signal.signal(signal.SIGALRM, heard)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for step in range(20000):
            mlctl.log(own=1)
        signal.setitimer(signal.ITIMER_REAL, 0)
    """)
    found = project.steps()
    assert sum("own" in metrics for _, metrics in found) == 20000
    assert any("heard" in metrics for _, metrics in found)


def test_json_of_what_json_does_not_know():
    found = json.loads(json_line({"a": {3}, "b": np.ones(2), "c": os}))
    assert found == {"a": [3], "b": [1, 1], "c": str(os)}
