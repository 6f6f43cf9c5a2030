"""Profiles of data: time, and how far what they say is from what is exact."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.files import repository
from benchmarks.harness import MLCTL, Bench, Row, Size, median, run
from mlctl.data.profiles.distinct import Distinct
from mlctl.data.profiles.hashing import mix
from mlctl.data.profiles.quantiles import Quantiles

COLUMNS = 50


def whole(folder: Path, size: Size) -> Row:
    tracked(folder, size)
    run([*MLCTL, "data", "profile", "-q"], folder)
    ours = median([*MLCTL, "data", "profile", "-q", "--force"], folder, size.repeats)
    return Row(f"profile of {size.rows:,} rows, {COLUMNS} columns", ours, "", None, "", "under 3 s")


def unchanged(folder: Path, size: Size) -> Row:
    tracked(folder, size)
    run([*MLCTL, "data", "profile", "-q"], folder)
    click = [sys.executable, "-c", "import click"]
    ours, theirs = (median(each, folder, size.repeats) for each in (
        [*MLCTL, "data", "profile", "-q"], click,
    ))  # fmt: skip
    return Row("the same again, nothing changed", ours, "`python -c 'import click'`", theirs,
               f"{ours / theirs:.1f} times", "")  # fmt: skip


def diff(folder: Path, size: Size) -> Row:
    tracked(folder, size)
    run([*MLCTL, "data", "profile", "-q"], folder)
    commit(folder)
    frame = pl.read_parquet(folder / "data.parquet")
    frame.with_columns(pl.col("f0") + 1).write_parquet(folder / "data.parquet")
    run([*MLCTL, "data", "add", "-q", "data.parquet"], folder)
    run([*MLCTL, "data", "profile", "-q"], folder)
    commit(folder)
    command = [*MLCTL, "data", "diff", "HEAD~1..HEAD", "--no-rows"]
    ours = median(command, folder, size.repeats)
    return Row(f"`data diff` of two profiles, {COLUMNS} columns", ours, "", None, "", "")


def largest(folder: Path, size: Size) -> Row:
    tracked(folder, size)
    run([*MLCTL, "data", "profile", "-q"], folder)
    text = (folder / "profiles" / "data.parquet.json").read_text()
    most = max(len(line.encode()) for line in text.splitlines() if '"distinct"' in line)
    assert len(json.loads(text)["columns"]) == COLUMNS
    return Row("largest column of that profile (kB)", most / 1000, "", None,
               f"{most / 1000:.1f} kB", "at most 12 kB")  # fmt: skip


def ranks(_folder: Path, size: Size) -> Row:
    """The worst rank anywhere, of several distributions, each from a thousand merged records."""
    worst = 0.0
    for seed in range(size.repeats):
        random = np.random.default_rng(seed)
        merged, parts = Quantiles(), []
        for at in range(1000):
            n = int(10 ** random.uniform(2, 4))
            part = (random.normal(at / 100, 1, n), random.exponential(1, n), random.zipf(1.5, n))
            parts.append(np.sort(part[seed % 3].astype(float)))
            stored = Quantiles.of(parts[-1]).piece()
            merged = merged.merge(Quantiles(((stored,),)))
        ordered, piece = np.sort(np.concatenate(parts)), merged.piece()
        true = np.searchsorted(ordered, ordered, side="right") / ordered.size
        worst = max(worst, float(np.abs(piece.ranks(ordered) - true).max()))
    return Row("rank error of quantiles, 1,000 profiles merged (%)", 100 * worst, "exact", None,
               f"{100 * worst:.2f} % at the worst", "at most 1 %")  # fmt: skip


def distinct(_folder: Path, size: Size) -> Row:
    errors = []
    for seed in range(20 * size.repeats):
        n = int(10 ** np.random.default_rng(seed).uniform(math.log10(2001), 6))
        hashes = mix(np.arange(n, dtype=np.uint64) + np.uint64(seed * 10**9))
        errors.append(Distinct(coupons=Distinct.of(hashes).coupons).count / n - 1)
    error = 100 * math.sqrt(np.mean(np.square(errors)))
    return Row("standard error of distinct counts (%)", error, "exact", None,
               f"{error:.2f} %", "at most 0.9 %")  # fmt: skip


def tracked(folder: Path, size: Size) -> None:
    """A repository with one table, and a contract that lets every column be shown."""
    repository(folder)
    frame = table(size.rows)
    frame.write_parquet(folder / "data.parquet")
    (folder / "contracts").mkdir()
    columns = "".join(f"  {name}: {{type: any, nullable: true}}\n" for name in frame.columns)
    (folder / "contracts" / "data.yaml").write_text(
        f"schema: mlctl.contract/1\ndata: data.parquet\ncolumns:\n{columns}"
    )
    run([*MLCTL, "data", "add", "-q", "data.parquet"], folder)


def table(rows: int) -> pl.DataFrame:
    """30 columns of floats, 9 of whole numbers, 6 of categories, 2 of ids as text, a flag, a day
    and a moment; a column with nulls."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {
        f"f{i}": random.normal(size=rows) * 10 ** (i % 5) for i in range(30)
    }
    columns |= {f"i{i}": random.integers(0, 10 ** (i + 1), rows) for i in range(8)}
    columns["id"] = np.arange(rows)
    for i in range(6):
        names = np.array([f"category {j}" for j in range(5 * 4**i)])
        columns[f"c{i}"] = names[random.integers(0, names.size, rows)]
    columns["uid"] = [f"user-{v:012x}" for v in random.integers(0, 2**40, rows)]
    columns["ref"] = [f"{v:x}" for v in random.integers(0, 2**20, rows)]
    columns["flag"] = random.random(rows) < 0.3
    start = np.datetime64("2024-01-01")
    columns["moment"] = start + random.integers(0, 10**9, rows).astype("timedelta64[ms]")
    columns["day"] = (start + random.integers(0, 700, rows)).astype("datetime64[D]")
    frame = pl.DataFrame(columns)
    missing = pl.Series(random.random(rows) < 0.05)
    return frame.with_columns(pl.when(missing).then(None).otherwise("f0").alias("f0"))


def commit(folder: Path) -> None:
    run(["git", "add", "-A"], folder)
    run(["git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "-m", "x"], folder)


BENCHES: dict[str, Bench] = {
    "profile": whole,
    "profile unchanged": unchanged,
    "profile diff": diff,
    "profile size": largest,
    "profile quantiles": ranks,
    "profile distinct": distinct,
}
