"""`import mlctl` in a job of a host: what it logs is seen here while it runs, and in the record."""

import json
import os
import subprocess
import sys
import time

import pytest

from e2e.sandbox import wait_until
from mlctl.hosts.mirror import Mirror

STEPS = 30
TRAIN = """
import sys, time
import mlctl
assert mlctl.params() == {"lr": 0.5}, mlctl.params()
for step in range(int(sys.argv[1])):
    mlctl.log(step=step, loss=1 / (step + 1))
    time.sleep(float(sys.argv[2]))
open("table.csv", "w").write("a,b")
mlctl.log_artifact("table.csv")
open("model.out", "w").write("model")
sys.exit(int(sys.argv[3]))
"""


@pytest.fixture
def train(box):
    """A stage whose Python has no mlctl; called with the seconds of a step and its exit code."""
    bare = sys._base_executable
    done = subprocess.run([bare, "-c", "import mlctl"], capture_output=True, cwd="/")
    assert done.returncode, "the Python under the tests' own has an mlctl"

    def stages(seconds=0.0, code=0):
        box.write("train.py", TRAIN)
        box.write("params.yaml", "lr: 0.5\n")
        cmd = f"{bare} train.py {STEPS} {seconds} {code}"
        stage = {"cmd": cmd, "deps": ["train.py"], "params": ["lr"], "outs": ["model.out"]}
        box.stages({"train": stage})
        return box

    return stages


def record_of(box):
    (folder,) = (box.root / "runs").glob("2*/*")
    return folder


def steps_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_what_a_job_logs_is_in_the_record(train, server):
    box = train()
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = record_of(box)
    rows = steps_of(folder)
    assert [row["step"] for row in rows] == list(range(STEPS))
    assert {row["stage"] for row in rows} == {"train"}
    assert json.loads((folder / "run.json").read_text())["metrics"]["loss"] == 1 / STEPS
    assert '"table.csv"' in (folder / "artifacts.jsonl").read_text()
    assert not list((box.root / ".mlctl" / "live").glob("*"))
    host = json.loads((folder / "stages.jsonl").read_text())["host"]
    assert "packages" not in host
    kept = (box.root / "runs" / "_env" / f"{host['env'].partition(':')[2]}.txt").read_text()
    assert kept.startswith(f"# CPython {sys.version.split()[0]}\n# Linux ")
    assert "\npytest==" in kept  # of the Python that is first on the host's PATH


def test_what_a_failed_job_logged_is_in_the_record(train, server):
    box = train(code=3)
    assert box.mlctl("run", "--on", "box").returncode == 1
    assert [row["step"] for row in steps_of(record_of(box))] == list(range(STEPS))


def test_lines_come_while_the_job_runs_and_none_is_lost_or_doubled(train, server):
    box = train(seconds=0.1)
    live = box.root / ".mlctl" / "live"

    def seen():
        found = list(live.glob("*/train/metrics.jsonl"))
        return found and len(found[0].read_text().splitlines()) > 2

    with box.started("run", "--on", "box") as process:
        wait_until(seen)
        assert process.poll() is None
        server.cut()
        time.sleep(0.5)
        server.cut()
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out
    assert [row["step"] for row in steps_of(record_of(box))] == list(range(STEPS))


def test_a_mirror_writes_nowhere_else(tmp_path):
    mirror = Mirror(str(tmp_path / "live"))
    mirror.add({"file": "../evil.jsonl", "offset": 0, "text": "x\n"})
    mirror.add({"file": "m.jsonl", "offset": 5, "text": "late\n"})
    mirror.add({"file": "m.jsonl", "offset": 0, "text": "one\n"})
    assert os.listdir(tmp_path) == ["live"]
    assert (tmp_path / "live" / "m.jsonl").read_text() == "one\n"
    assert mirror.known() == {"m.jsonl": 4}
