"""Finding runs among many: whole processes, against MLflow on SQLite and `dvc exp show`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from benchmarks.files import repository
from benchmarks.harness import DVC, MLCTL, Bench, Row, Size, above, by_turns, median, run, timed
from benchmarks.profile import commit
from benchmarks.tracking import MLFLOW, environment
from mlctl.adapters.clock import iso
from mlctl.experiments.shelves.pack import pack_bytes, pack_name
from mlctl.records.run import CodeState, Host, RunHead, head_text, run_folder
from mlctl.records.ulid import RANDOM_BYTES, new_ulid

LAST, APART = 1_795_475_000.0, 600  # seconds: when the newest run began, and those before it
PARAMS, METRICS = 20, 10
LS = [*MLCTL, "exp", "ls"]
LOOK = [sys.executable, "-c", """
import os
for day in os.listdir("runs"):
    for run in os.listdir(f"runs/{day}"):
        os.stat(f"runs/{day}/{run}")
"""]  # fmt: skip
THEIR_RUNS, THEIR_EXPERIMENTS = 2000, 20  # MLflow and DVC take a while to make theirs
MAKE_THEIRS = f"""
import mlflow
from mlflow.entities import Metric, Param
mlflow.set_tracking_uri("sqlite:///mlflow.db")
client = mlflow.MlflowClient()
for number in range({THEIR_RUNS}):
    run = client.create_run("0")
    params = [Param(f"option_{{i}}", str(number * i % 17)) for i in range({PARAMS})]
    metrics = [Metric(f"metric_{{i}}", number / (i + 7), 0, 0) for i in range({METRICS})]
    client.log_batch(run.info.run_id, metrics=metrics, params=params)
    client.set_terminated(run.info.run_id)
"""
THEIR_STAGE = """
stages:
  train: {cmd: cp params.yaml metrics.yaml, params: [lr], metrics: [metrics.yaml: {cache: false}]}
"""


def warm(folder: Path, size: Size) -> Row:
    """The index is there, and nothing has changed."""
    folders(folder, size.runs)
    run(LS, folder)
    ours, floor = by_turns((LS, LOOK), folder, size.repeats)
    theirs = _mlflow(folder, size) if size.peers else None
    return Row(f"`exp ls`, {size.runs:,} runs", ours, f"`mlflow runs list`, {THEIR_RUNS:,} runs",
               theirs, f"{theirs / ours:.0f} times faster" if theirs else "", "under 0.15 s",
               above(ours, floor, "`stat` of each folder"))  # fmt: skip


def against_dvc(folder: Path, size: Size) -> Row:
    """With as many runs as DVC has experiments."""
    number = THEIR_EXPERIMENTS if size.peers else 2
    folders(folder, number)
    (folder / "dvc.yaml").write_text(THEIR_STAGE)
    (folder / "params.yaml").write_text("lr: 0\n")
    commit(folder)
    for value in range(number):
        run([*DVC, "exp", "run", "-q", "-S", f"lr={value + 1}"], folder)
    ours, theirs = by_turns((LS, [*DVC, "exp", "show", "--csv"]), folder, size.repeats)
    return Row(f"`exp ls`, {number} runs", ours, f"`dvc exp show`, {number} experiments", theirs,
               f"{theirs / ours:.1f} times faster", "")  # fmt: skip


def filtered(folder: Path, size: Size) -> Row:
    folders(folder, size.runs)
    asked = [*LS, "--where", "metrics.metric_3 > 5 and params.train.option_3 in 0.5..2",
             "--sort", "-metrics.metric_1"]  # fmt: skip
    run(asked, folder)
    ours = median(asked, folder, size.repeats)
    return Row(f"the same with `--where` and `--sort`, {size.runs:,} runs", ours, "", None, "", "")


def cold(folder: Path, size: Size) -> Row:
    """As on a new clone: every record is read."""
    folders(folder, size.runs)
    ours = median(LS, folder, min(size.repeats, 3), before=lambda: forget(folder))
    return Row(f"`exp ls` on a new clone, {size.runs:,} runs", ours, "", None, "", "under 5 s")


def packed(folder: Path, size: Size) -> Row:
    repository(folder)
    (folder / "runs").mkdir()
    months: dict[str, dict[str, dict[str, bytes]]] = {}
    for number in range(size.packed):
        head = made_head(number)
        files = {"run.json": head_text(head).encode(), "stages.jsonl": b""}
        months.setdefault(run_folder(head.id)[5:11], {})[head.id] = files
    for month, records in months.items():
        data = pack_bytes(records)
        (folder / "runs" / pack_name(month, data)).write_bytes(data)
    run(LS, folder)
    ours = median(LS, folder, size.repeats)
    return Row(f"`exp ls`, {size.packed:,} packed runs", ours, "", None, "", "under 0.5 s")


def committing(folder: Path, size: Size) -> Row:
    """All in one commit; the objects that git has afterwards are in a pack."""
    folders(folder, 0)
    (folder / "README.md").write_text("x\n")
    commit(folder)
    number, before = size.runs // 10, _loose_objects(folder)
    folders(folder, number)
    ours = timed([*MLCTL, "exp", "commit"], folder)
    loose = _loose_objects(folder) - before
    return Row(f"commit of {number:,} records", ours, "", None,
               f"{loose} loose objects", "under 1 s")  # fmt: skip


def status(folder: Path, size: Size) -> Row:
    folders(folder, size.runs)
    commit(folder)
    ours = median(["git", "status", "--porcelain"], folder, size.repeats)
    most = max(len(os.listdir(day)) for day in (folder / "runs").iterdir())
    return Row(f"`git status`, {size.runs:,} records", ours, "", None,
               f"the largest folder has {most} entries", "under 0.3 s")  # fmt: skip


def folders(folder: Path, number: int) -> None:
    """A repository with records of so many runs as folders."""
    if not (folder / ".git").exists():
        repository(folder)
        run(["git", "config", "user.name", "Bench"], folder)
        run(["git", "config", "user.email", "bench@localhost"], folder)
    for place in range(number):
        head = made_head(place)
        record = folder / run_folder(head.id)
        record.mkdir(parents=True)
        (record / "run.json").write_text(head_text(head))
        (record / "stages.jsonl").write_text("")


def made_head(number: int) -> RunHead:
    started = LAST - number * APART
    return RunHead(
        id=new_ulid(started, os.urandom(RANDOM_BYTES)),
        status="finished",
        started=iso(started),
        ended=iso(started + 90),
        seconds=90.0,
        argv=("mlctl", "run"),
        jobs=1,
        host=Host(8, "3.12", "linux"),
        git=CodeState("c0ffee0" + "0" * 33, "main", None, dirty=False),
        params={f"train.option_{i}": number * i % 17 / 7 for i in range(PARAMS)},
        metrics={f"metric_{i}": number / (i + 7) for i in range(METRICS)},
        outcomes={"ran": 1},
        ran=("train",),
    )


def forget(folder: Path) -> None:
    """Without an index."""
    shutil.rmtree(folder / ".git" / "mlctl", ignore_errors=True)


def _loose_objects(folder: Path) -> int:
    return sum(1 for _ in folder.glob(".git/objects/??/*"))


def _mlflow(folder: Path, size: Size) -> float:
    python = environment(folder.parent / "peer", MLFLOW.package)
    place = folder.parent / "mlflow"
    place.mkdir()
    run([python, "-c", MAKE_THEIRS], place)
    environ = f"MLFLOW_TRACKING_URI=sqlite:///{place}/mlflow.db"
    command = ["env", environ, python, "-m", "mlflow", "runs", "list", "--experiment-id", "0"]
    return median(command, place, min(size.repeats, 3))


BENCHES: dict[str, Bench] = {
    "exp ls warm": warm,
    "exp ls dvc": against_dvc,
    "exp ls where": filtered,
    "exp ls cold": cold,
    "exp ls packed": packed,
    "records committed": committing,
    "records in git status": status,
}
