"""Stages on the GPU of a host, which is this machine over ssh."""

import itertools
import json
import os
import signal
import sys

import pytest

import sshd
from e2e.sandbox import is_alive, wait_until
from gpu.test_gpu_stages import HOLD, TRAIN, _used


@pytest.fixture
def host(box, tmp_path, monkeypatch):
    env = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    env["MLCTL_LOCKS"] = str(tmp_path / "locks")
    if "LD_LIBRARY_PATH" in os.environ:
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    with sshd.running(tmp_path / "host", env=env) as server:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(server.config))
        box.write("mlctl.yaml", "hosts:\n  box: {env: none}\n")
        yield server


def test_a_stage_trains_on_the_gpu_of_a_host(box, host):
    box.write("train.py", TRAIN)
    stage = {
        "cmd": "python3 train.py",
        "deps": ["train.py"],
        "outs": ["model.pt"],
        "metrics": [{"metrics.json": {"cache": False}}],
        "meta": {"mlctl": {"gpus": 1, "on": "box"}},
    }
    box.stages({"train": stage})
    done = box.mlctl("run", timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(box.read("metrics.json"))["gpus"] == 1
    (record,) = box.root.glob("runs/*/*/stages.jsonl")
    told = json.loads(record.read_text())["host"]
    assert told["driver"]
    assert "NVIDIA" in told["gpus"][0]["name"]
    assert told["gpus"][0]["curve"]["seconds"]
    print(json.dumps(told))


def test_jobs_take_turns_on_the_gpus(box, host, gpus):
    cmd = "date +%s.%N > {0}.begin; sleep 2; date +%s.%N > {0}.end; echo $CUDA_VISIBLE_DEVICES"
    names = [f"s{number}" for number in range(3)]
    box.stages(
        {
            name: {
                "cmd": cmd.format(name),
                "outs": [f"{name}.begin", f"{name}.end"],
                "meta": {"mlctl": {"gpus": gpus, "on": "box"}},
            }
            for name in names
        }
    )
    done = box.mlctl("run", "-j3", timeout=120)
    assert done.returncode == 0, done.stdout
    spans = sorted(
        (float(box.read(f"{name}.begin")), float(box.read(f"{name}.end"))) for name in names
    )
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    assert "GPU-" in done.stdout


@pytest.mark.parametrize("end", ["interrupt", "cancel"])
def test_what_is_ended_leaves_no_gpu_memory_taken(box, host, end):
    before = _used()
    box.write("hold.py", HOLD)
    hold = {"cmd": "python3 hold.py", "deps": ["hold.py"], "meta": {"mlctl": {"gpus": 1}}}
    box.stages({"hold": hold})
    with box.started("run", "--on", "box") as run:
        work = host.home / ".mlctl-host" / "jobs"
        written = lambda: [path.read_text() for path in work.glob("*/work/*.pid")]  # noqa: E731
        wait_until(lambda: len(list(filter(None, written()))) == 2, 120)
        pids = [int(text) for text in written()]
        wait_until(lambda: _used() > before + 1000, 60)
        if end == "interrupt":
            os.kill(run.pid, signal.SIGINT)
        else:
            (job,) = work.iterdir()
            assert box.mlctl("host", "cancel", job.name).returncode == 0
        run.wait(60)
        wait_until(lambda: not any(map(is_alive, pids)), 15)
        wait_until(lambda: _used() < before + 500, 15)
