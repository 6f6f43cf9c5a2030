"""Logging from a training process: against MLflow on SQLite, DVCLive and Aim, and `os.write`.

The figures are of calls within one process, in the unit that the row names.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.files import repository
from benchmarks.harness import Bench, Row, Size, above, run
from benchmarks.profile import commit

CALLS, THEIRS = 5000, 200  # in a process; those of the peers take milliseconds
STEP = "loss=0.123456789 / (i + 1), accuracy=1 - 0.9 / (i + 1), rate=0.001"


@dataclass(frozen=True)
class Peer:
    """What is installed, and how its like of `mlctl.log` is made ready and called."""

    name: str
    package: str
    ready: str
    call: str


MLFLOW = Peer("`mlflow.log_metrics`, SQLite", "mlflow>=3,<4", """
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.start_run()
mlflow.log_metrics(dict(loss=1.0, accuracy=1.0, rate=1.0), step=0)
""", f"mlflow.log_metrics(dict({STEP}), step=i)")  # fmt: skip
DVCLIVE = Peer("DVCLive: 3 `log_metric`, `next_step`", "dvclive>=3,<4", """
from dvclive import Live
live = Live(save_dvc_exp=False, dvcyaml=None, report=None)
def step(**metrics):
    for name, value in metrics.items():
        live.log_metric(name, value)
    live.next_step()
""", f"step({STEP})")  # fmt: skip
AIM = Peer("Aim: 3 `track`", "aim>=3.29,<4", """
from aim import Run
run = Run(repo=".", system_tracking_interval=None, log_system_params=False)
def step(i, **metrics):
    for name, value in metrics.items():
        run.track(value, name=name, step=i)
""", f"step(i, {STEP})")  # fmt: skip
WRITE = """
import os
log = os.open("floor.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
line = b"x" * 109 + b"\\n"
"""
WHOLE = """
import time
import numpy  # a training has it
began = time.perf_counter()
import mlctl
with mlctl.start_run(params={"lr": 0.1}):
    mlctl.log(loss=1.0)
print(time.perf_counter() - began)
"""
MLFLOW_WHOLE = """
import time
import numpy  # a training has it
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
with mlflow.start_run():  # the database is made
    pass
began = time.perf_counter()
with mlflow.start_run():
    mlflow.log_params({"lr": 0.1})
    mlflow.log_metrics({"loss": 1.0})
print(time.perf_counter() - began)
"""


def call(folder: Path, size: Size, peer: Peer) -> Row:
    """One call with three metrics, in microseconds."""
    calls = CALLS if size.peers else 100
    programs = [
        (sys.executable, timing("import mlctl", f"mlctl.log(step=i, {STEP})", calls)),
        (sys.executable, timing(WRITE, "os.write(log, line)", calls)),
    ]
    if size.peers:
        python = environment(folder.parent / "peer", peer.package)
        programs.append((python, timing(peer.ready, peer.call, THEIRS)))
    repository(folder)
    commit(folder)  # DVCLive asks for one
    medians, rare = _by_turns(folder, programs, size.repeats)
    ours, floor, *theirs = (median * 1e6 for median in medians)
    faster = f"{theirs[0] / ours:,.0f} times faster, " if theirs else ""
    return Row("`mlctl.log`, 3 metrics (µs a call)", ours, peer.name, theirs[0] if theirs else None,
               f"{faster}99 % under {rare * 1e6:.0f} µs", "at most 10 µs",
               above(ours, floor, "`os.write`"))  # fmt: skip


def start(folder: Path, size: Size) -> Row:
    """In milliseconds, with the import; the code is captured beside it, as it always is."""
    programs = [(sys.executable, WHOLE)]
    if size.peers:
        programs.append((environment(folder.parent / "peer", MLFLOW.package), MLFLOW_WHOLE))
    repository(folder)
    commit(folder)
    medians, _ = _by_turns(folder, programs, size.repeats)
    ours, *theirs = (median * 1e3 for median in medians)
    return Row("start and finish of a run, with `import mlctl` (ms)", ours,
               "MLflow on SQLite, without its import", theirs[0] if theirs else None,
               f"{theirs[0] / ours:.1f} times faster" if theirs else "", "under 20 ms")  # fmt: skip


def timing(ready: str, call: str, calls: int) -> str:
    """A program that prints the median of a call in seconds, and what one in a hundred exceeds."""
    return f"""
{ready}
import time
times = []
for i in range({calls}):
    began = time.perf_counter()
    {call}
    times.append(time.perf_counter() - began)
times.sort()
print()
print(times[len(times) // 2], times[len(times) * 99 // 100])
"""


def environment(folder: Path, package: str) -> str:
    """The Python of a new environment with a package in it."""
    python = str(folder / "bin" / "python")
    venv.create(folder, with_pip=True)
    run([python, "-m", "pip", "install", "-q", package], folder)
    return python


def _by_turns(
    folder: Path, programs: list[tuple[str, str]], repeats: int
) -> tuple[list[float], float]:
    """The medians of what the programs print first, and of what the first one prints last."""
    found: list[list[list[float]]] = [[] for _ in programs]
    for _ in range(repeats + 1):
        for (python, code), into in zip(programs, found, strict=True):
            done = subprocess.run(
                [python, "-c", code], cwd=folder, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(f"{code} failed:\n{done.stdout}{done.stderr}")
            into.append([float(word) for word in done.stdout.split()[-2:]])
    medians = [statistics.median(each[0] for each in runs[1:]) for runs in found]
    return medians, statistics.median(each[-1] for each in found[0][1:])


BENCHES: dict[str, Bench] = {
    "log call": partial(call, peer=MLFLOW),
    "log call dvclive": partial(call, peer=DVCLIVE),
    "log call aim": partial(call, peer=AIM),
    "start and finish of a run": start,
}
