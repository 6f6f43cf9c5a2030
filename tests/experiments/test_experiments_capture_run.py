"""Real runs of a pipeline whose stages log while they run."""

import os
import signal
import sys
from pathlib import Path

import pytest
from live_builders import end_script_run, start_script_run
from run_builders import START

from e2e.sandbox import Sandbox, wait_until
from mlctl.experiments.curves import load_curves
from mlctl.experiments.live import live_runs
from mlctl.experiments.query import find_run
from mlctl.records.ulid import new_ulid

# Logs ten steps where mlctl looks for them; with `wait` it then stays until it is ended.
TRAIN = """\
import json, os, sys, time
folder = os.path.join(".mlctl/live", os.environ["MLCTL_RUN_ID"], "train")
os.makedirs(folder)
with open(os.path.join(folder, "metrics.jsonl"), "a") as log:
    for step in range(10):
        row = {"step": step, "time": time.time(), "metrics": {"loss": 1 / (1 + step)}}
        print(json.dumps(row), file=log, flush=True)
print("logged", flush=True)
if sys.argv[1] == "wait":
    time.sleep(300)
if sys.argv[1] == "fail":
    sys.exit(3)
open("model.txt", "w").write("model")
"""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
    made = Sandbox(tmp_path / "p")
    made.git("config", "user.name", "Ada")
    made.git("config", "user.email", "ada@example.org")
    made.write("train.py", TRAIN)
    return made


def train(box: Sandbox, how: str) -> None:
    cmd = f"python train.py {how}"
    box.stages({"train": {"cmd": cmd, "deps": ["train.py"], "outs": ["model.txt"]}})


def losses(box: Sandbox) -> tuple[float, ...]:
    return load_curves(str(box.root), find_run(str(box.root), "last").id)["loss"].values


def test_a_run_keeps_what_its_stage_logged_and_its_log_where_asked(box: Sandbox) -> None:
    train(box, "well")
    box.write("mlctl.yaml", "records: {commit: auto, logs: true}\n")
    box.commit()
    code, said = box.run("run")
    assert code == 0, said
    (head,) = box.records()
    assert head["series"]["loss"] == {
        "last": 0.1, "max": 1.0, "max_step": 0, "min": 0.1, "min_step": 9, "n": 10,
    }  # fmt: skip
    assert head["metrics"] == {"loss": 0.1}
    assert len(losses(box)) == 10
    files = box.git("ls-files", "runs").split()
    assert [os.path.basename(file) for file in files if "_env" not in file] == [
        "train.log", "metrics.jsonl", "run.json", "stages.jsonl",
    ]  # fmt: skip
    assert box.git("status", "--porcelain") == ""
    assert live_runs(str(box.root)) == []


def test_a_run_that_fails_keeps_what_its_stage_logged(box: Sandbox) -> None:
    train(box, "fail")
    assert box.run("run")[0] == 1
    (head,) = box.records()
    assert (head["status"], head["metrics"]) == ("failed", {"loss": 0.1})
    assert len(losses(box)) == 10


def test_a_run_that_is_interrupted_keeps_what_its_stage_logged(box: Sandbox) -> None:
    train(box, "wait")
    with box.started("run") as process:
        wait_until(lambda: "logged" in logs(box))
        process.send_signal(signal.SIGINT)
        process.wait(60)
    (head,) = box.records()
    assert (head["status"], head["series"]["loss"]["n"]) == ("interrupted", 10)
    assert live_runs(str(box.root)) == []


def test_what_a_killed_run_leaves_is_removed_by_a_later_one(box: Sandbox) -> None:
    train(box, "wait")
    with box.started("run") as process:
        wait_until(lambda: "logged" in logs(box))
        process.kill()
    (left,) = live_runs(str(box.root))
    assert box.records() == []
    train(box, "well")
    wait_until(lambda: box.run("run")[0] == 0)  # the watcher of the killed run ends its stage
    assert live_runs(str(box.root)) == [left]  # too young to be given up
    folder = box.root / ".mlctl/live" / left
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (START, START))
    train(box, "again")
    assert box.run("run")[0] == 0
    assert live_runs(str(box.root)) == []
    assert len(box.records()) == 2


def test_a_run_makes_and_commits_the_records_of_scripts_too(box: Sandbox) -> None:
    train(box, "well")
    box.commit()
    end_script_run(start_script_run(box.root, new_ulid(START, os.urandom(10)), argv=["a.py"]))
    assert box.run("run", "--commit")[0] == 0
    script, run = box.records()
    assert (script["origin"], run.get("origin")) == ({"kind": "python"}, None)
    assert box.git("ls-files", "runs").count("run.json") == 2
    assert box.git("status", "--porcelain") == ""


def logs(box: Sandbox) -> str:
    return "".join(path.read_text() for path in box.root.glob(".mlctl/logs/*/train.log"))
