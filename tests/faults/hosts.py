"""A stage on a host while the client, the connection or the supervisor is killed at any moment.

    PYTHONPATH=tests python -m faults.hosts --runs 300 --seed 1

Each run changes a parameter, so that the stage must run again. It is interrupted once or twice, and
then repeated until it ends well. After each: the log of the last run holds every line once, the out
is right, one job ran and no more, no process of a job is left, and no GPU is leased.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sshd
from e2e.sandbox import Sandbox

LINES = 40
STAGE = """\
import sys, time
seed = open("params.yaml").read().split()[1]
for number in range({lines}):
    print("line", seed, number, flush=True)
    time.sleep(0.02)
open("count.out", "w").write(seed)
"""
Counts = collections.Counter[str]


def chaos(folder: Path, runs: int, seed: int) -> Counts:
    """Raises AssertionError where a check does not hold; how often each thing was done."""
    chance = random.Random(seed)
    counts: Counts = collections.Counter()
    tools = folder / "tools"
    tools.mkdir()
    fake = Path(__file__).parents[1] / "hosts" / "nvidia_smi.py"
    shutil.copy(fake, tools / "nvidia-smi")
    (tools / "nvidia-smi").chmod(0o755)
    env = {
        "PATH": f"{tools}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "MLCTL_LOCKS": str(folder / "locks"),
    }
    with sshd.running(folder / "host", env=env) as server:
        os.environ["MLCTL_SSH_CONFIG"] = str(server.config)
        box = Sandbox(folder / "p")
        box.write("mlctl.yaml", "hosts:\n  box: {}\n")
        box.write(".gitignore", "/*.out\n")
        box.write("count.py", STAGE.format(lines=LINES))
        stage = {"cmd": "python3 count.py", "deps": ["count.py"], "params": ["seed"]}
        box.stages({"count": {**stage, "outs": ["count.out"], "meta": {"mlctl": {"gpus": 1}}}})
        for number in range(runs):
            box.write("params.yaml", f"seed: {number}\n")
            _one(box, server, chance, counts)
            _check(box, server, number)
    return counts


def _one(box: Sandbox, server: sshd.Sshd, chance: random.Random, counts: Counts) -> None:
    for _ in range(20):
        with box.started("run", "--on", "box") as run:
            for _ in range(chance.choice((0, 1, 1, 2))):
                time.sleep(chance.uniform(0, 2.5))
                if run.poll() is not None:
                    counts["ended before"] += 1
                    break
                what = chance.choice(("client", "connection", "supervisor"))
                counts[what] += 1
                if what == "client":
                    run.kill()
                elif what == "connection":
                    server.cut()
                else:
                    _kill_supervisors(server)
            if run.wait(120) == 0:
                return
    raise AssertionError("twenty runs did not end well")


def _check(box: Sandbox, server: sshd.Sshd, number: int) -> None:
    logs = sorted(box.root.glob(".mlctl/logs/*/count.log"))
    expected = "".join(f"line {number} {line}\n" for line in range(LINES))
    assert logs[-1].read_text() == expected, f"run {number}: {logs[-1]}"
    assert box.read("count.out") == str(number)
    jobs = sorted((server.home / ".mlctl-host" / "jobs").iterdir())
    ran = [job for job in jobs if f"line {number} 0\n" in (job / "log").read_text()]
    assert len(ran) == 1, f"run {number} ran as {[job.name for job in ran]}"
    deadline = time.monotonic() + 20
    while left := _left(server):
        assert time.monotonic() < deadline, f"run {number} left {left}"
        time.sleep(0.1)
    told = json.loads(box.mlctl("host", "queue", "box", "--json").stdout)
    assert not any(gpu["leased"] for gpu in told["gpus"])
    for job in jobs:  # as `gc` would, but at once
        shutil.rmtree(job)


def _left(server: sshd.Sshd) -> list[str]:
    """Processes of jobs: what they started, their runners, their supervisors."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        marked = any(entry.startswith(b"MLCTL_JOB=") for entry in environment)
        ours = re.search(rf"agent\.py (supervise|run) {re.escape(str(server.home))}", command)
        if marked or ours:
            found.append(f"{pid} {command}")
    return found


def _kill_supervisors(server: sshd.Sshd) -> None:
    pattern = f"agent.py supervise {server.home}"
    subprocess.run(["pkill", "-KILL", "-f", pattern], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = chaos(Path(folder), options.runs, options.seed)
    print(
        f"seed {options.seed}: {options.runs} runs, {dict(sorted(counts.items()))}, "
        f"every check held, {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
