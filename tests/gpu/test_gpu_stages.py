"""Stages on real GPUs: what they see, what they share, and what is left when they are ended."""

import itertools
import json
import os
import signal
import time

from e2e.sandbox import is_alive, overlap, stamp, wait_until
from gpu.conftest import nvidia_smi

TRAIN = """\
import json
import torch

torch.manual_seed(1)
x = torch.randn(4096, 8, device="cuda")
weights = torch.arange(8.0, device="cuda")
layer = torch.nn.Linear(8, 1, bias=False, device="cuda")
optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
for _ in range(200):
    optimizer.zero_grad()
    loss = ((layer(x).squeeze(1) - x @ weights) ** 2).mean()
    loss.backward()
    optimizer.step()
torch.save(layer.state_dict(), "model.pt")
seen = {"gpus": torch.cuda.device_count(), "loss": loss.item()}
open("metrics.json", "w").write(json.dumps(seen))
"""

# Takes a gigabyte of the GPU and goes on, with a child that holds its own share.
HOLD = """\
import os, time
import torch
child = os.fork()
held = torch.zeros(2**28, device="cuda")
torch.cuda.synchronize()
open("child.pid" if child == 0 else "parent.pid", "w").write(str(os.getpid()))
time.sleep(600)
"""


def test_a_stage_trains_on_the_gpu_that_it_is_given(box):
    box.write("train.py", TRAIN)
    stage = {
        "cmd": "python train.py",
        "deps": ["train.py"],
        "outs": ["model.pt"],
        "metrics": [{"metrics.json": {"cache": False}}],
        "meta": {"mlctl": {"gpus": 1}},
    }
    box.stages({"train": stage})
    done = box.mlctl("run")
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads(box.read("metrics.json"))
    assert metrics["gpus"] == 1
    assert metrics["loss"] < 1e-3
    assert "train" in box.locked()
    assert box.mlctl("status", "--check").returncode == 0


def test_no_gpu_is_given_to_two_stages(box, gpus):
    names = [f"s{number}" for number in range(gpus + 2)]
    box.stages({name: stamp(name, 0.5, gpus=gpus) for name in names})
    assert box.mlctl("run", f"-j{len(names)}").returncode == 0
    spans = box.spans()
    assert not any(overlap(spans[a], spans[b]) for a, b in itertools.combinations(names, 2))


def test_more_gpus_than_there_are_are_refused(box, gpus):
    box.stages({"a": stamp("a", gpus=gpus + 1)})
    done = box.mlctl("run")
    assert done.returncode == 3
    assert f"asks for {gpus + 1} GPUs; {gpus} found" in done.stderr


def _hold(box):
    box.write("hold.py", HOLD)
    box.stages({"hold": {"cmd": "python hold.py", "meta": {"mlctl": {"gpus": 1}}}})


def _pids(box):
    for name in ("child.pid", "parent.pid"):
        wait_until(lambda name=name: (box.root / name).exists() and box.read(name), 120)
    return [int(box.read(name)) for name in ("child.pid", "parent.pid")]


def _used():
    """Megabytes of GPU memory in use, over all GPUs."""
    return sum(int(line) for line in nvidia_smi("--query-gpu=memory.used"))


def _ends_free(box, end):
    before = _used()
    _hold(box)
    with box.started("run") as run:
        pids = _pids(box)
        assert _used() > before + 1000
        end(run)
        began = time.monotonic()
        wait_until(lambda: not any(map(is_alive, pids)), 15)
        wait_until(lambda: _used() < before + 500, 15)
        print(f"free after {time.monotonic() - began:.2f} s")


def test_an_interrupted_run_leaves_no_gpu_memory_taken(box):
    _ends_free(box, lambda run: os.kill(run.pid, signal.SIGINT))


def test_a_killed_run_leaves_no_gpu_memory_taken(box):
    _ends_free(box, lambda run: os.kill(run.pid, signal.SIGKILL))
