"""Drift reports: against Evidently, on long and on wide tables, their false alarms and power."""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.files import repository
from benchmarks.harness import MLCTL, Bench, Row, Size, run
from monitoring.frames import compared, spec

STEP = 500_000
CATEGORIES = [f"kind {n}" for n in range(12)]
MONITOR = """\
schema: mlctl.monitor/1
reference: {path: data/reference.parquet}
current: {path: data/current.parquet}
"""
EVIDENTLY = """
import sys
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
sides = [pd.read_parquet(f"data/{name}.parquet") for name in ("current", "reference")]
done = Report([DataDriftPreset()]).run(*sides)
done.save_html("evidently.html")
"""


def report(folder: Path, size: Size) -> Row:
    """The whole process: read both sides, compare 60 columns, write JSON, Markdown and HTML."""
    prepared(folder, size.rows, 60)
    ours, memory = best(folder, 3)
    theirs, peer = None, "Evidently 0.7.23"
    if size.peers:
        theirs, _ = timed([evidently(folder.parent / "evidently"), "-c", EVIDENTLY], folder)
    ratio = f"{theirs / ours:.0f} times faster, {memory / 1e9:.2f} GB" if theirs else ""
    return Row(f"drift report, {size.rows:,} rows of 60 columns", ours, peer, theirs, ratio,
               "at least 100 times faster, under 1.5 GB")  # fmt: skip


def long(folder: Path, size: Size) -> Row:
    """Whether ten times the rows take ten times as long, in a stream."""
    prepared(folder, size.rows, 60)
    short, _ = best(folder, 3)
    prepared(folder, 10 * size.rows, 60)
    ours, memory = best(folder, 2)
    ratio = ours / short / 10
    return Row(f"drift report, {10 * size.rows:,} rows of 60 columns", ours,
               f"{size.rows:,} rows", short,
               f"{ratio:.2f} times per row, {memory / 1e9:.2f} GB",
               "at most 1.15 times per row, under 2 GB")  # fmt: skip


def wide(folder: Path, size: Size) -> Row:
    """Whether a column takes as long where there are a thousand."""
    columns = 1000 if size.peers else 120
    prepared(folder, size.rows, 60)
    few, _ = best(folder, 3)
    prepared(folder, size.rows, columns)
    ours, memory = best(folder, 2)
    ratio = ours / columns / (few / 60)
    return Row(f"drift report, {size.rows:,} rows of {columns} columns", ours, "60 columns", few,
               f"{ratio:.2f} times per column, {memory / 1e9:.2f} GB",
               "at most 1.15 times per column, under 2 GB")  # fmt: skip


def calm(folder: Path, size: Size) -> Row:
    """False alarms of 1,000 periods without drift at each of 500, 1,000 and 10,000 rows."""
    del folder
    periods = 1000 if size.peers else 5
    rng = np.random.default_rng(0)
    alarms, began = [], time.perf_counter()
    for rows in (500, 1000, 10_000):
        found = 0
        for _ in range(periods):
            done = compared(table(rng, rows, 30), table(rng, rows, 30), spec(min_rows=100))
            found += any(column.state == "drift" for column in done.columns)
        alarms.append(found)
    shares = ", ".join(f"{100 * found / periods:.1f} %" for found in alarms)
    return Row(f"{3 * periods:,} periods of 30 columns without drift",
               time.perf_counter() - began, "", None,
               f"alarms at 500, 1,000 and 10,000 rows: {shares}", "at most 0.5 %")  # fmt: skip


def power(folder: Path, size: Size) -> Row:
    """Half a deviation in one of 50 columns of 1,000 rows, within two periods."""
    del folder
    trials = 100 if size.peers else 3
    rng = np.random.default_rng(1)
    hits, began = 0, time.perf_counter()
    for _ in range(trials):
        reference, *periods = (
            {f"x{at}": rng.normal(size=1000) for at in range(50)} for _ in range(3)
        )
        seen = False
        for side in periods:
            side["x17"] = side["x17"] + 0.5
            done = compared(pl.DataFrame(reference), pl.DataFrame(side), spec(min_rows=100))
            seen |= any(c.state == "drift" and c.name == "x17" for c in done.columns)
        hits += seen
    return Row("a shift of 0.5 sd in one of 50 columns of 1,000 rows",
               time.perf_counter() - began, "", None, f"found in {hits} of {trials}",
               "at least 95 of 100")  # fmt: skip


def table(rng: np.random.Generator, rows: int, columns: int) -> pl.DataFrame:
    """Numbers of several kinds, and a sixth of categories."""
    data: dict[str, object] = {}
    for at in range(columns):
        if at % 6 == 5:
            data[f"c{at}"] = rng.integers(0, 12, rows)
            continue
        values = (rng.normal(size=rows), rng.exponential(1, rows), rng.gamma(2, 3, rows))[at % 3]
        data[f"n{at}"] = values
    frame = pl.DataFrame(data)
    words = [pl.col(n).replace_strict(range(12), CATEGORIES) for n in frame.columns if n[0] == "c"]
    return frame.with_columns(words)


def prepared(folder: Path, rows: int, columns: int) -> None:
    if not (folder / ".dvc").exists():
        repository(folder)
    for name in ("data", "monitors"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "monitors" / "inputs.yaml").write_text(MONITOR)
    from mlctl.adapters import tables

    for seed, side in enumerate(("reference", "current")):
        frames = _frames(seed, rows, columns)
        first = next(frames)
        tables.write_batches(
            _chained(first, frames), first.schema, folder / "data" / f"{side}.parquet"
        )


def _frames(seed: int, rows: int, columns: int) -> Iterator[pl.DataFrame]:
    rng = np.random.default_rng(seed)
    step = max(1, STEP * 60 // columns)
    for start in range(0, rows, step):
        yield table(rng, min(step, rows - start), columns)


def _chained(first: pl.DataFrame, others: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from others


def best(folder: Path, repeats: int) -> tuple[float, float]:
    """The median time and the peak of `mlctl monitor run`; the reports are made anew."""
    times, peak = [], 0.0
    for _ in range(repeats):
        run(["rm", "-rf", "reports"], folder)
        took, memory = timed([*MLCTL, "monitor", "run", "-q"], folder)
        times.append(took)
        peak = max(peak, memory)
    return sorted(times)[len(times) // 2], peak


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds, and the peak of the process in bytes."""
    code = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, command)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}{done.stderr}")
    scale = 1 if sys.platform == "darwin" else 1024
    return took, float(done.stdout.split()[-1]) * scale


def evidently(folder: Path) -> str:
    """The Python of a new environment with Evidently in it."""
    python = folder / "bin" / "python"
    venv.create(folder, with_pip=True)
    packages = ["evidently==0.7.23", "pandas<3", "pyarrow"]
    run([str(python), "-m", "pip", "install", "-q", *packages], folder)
    return str(python)


BENCHES: dict[str, Bench] = {
    "monitor": report,
    "monitor long": long,
    "monitor wide": wide,
    "monitor calm": calm,
    "monitor power": power,
}
