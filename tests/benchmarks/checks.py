"""The checks over many rows: duplicates, leakage, labels and personal data, all of them at once."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks import data
from benchmarks.files import peak_memory, repository
from benchmarks.harness import Bench, Row, Size, timed
from mlctl.adapters import tables

WORDS = 5000
SECONDS, MEMORY = 15, 1e9
CHECKS = """\
data: data
splits: {train: data/train.parquet, test: data/test.parquet}
label: c0
personal: scan
leakage:
  key: [order]
  time: at
  duplicates: 0
  near_duplicates: {columns: [note], similarity: 0.9, max: 0}
  target: 0.98
  labels: 0.1
"""
CONTRACT = data.CONTRACT.replace("data: data/rows.parquet\n", CHECKS).replace(
    "  f7: {type: float}\n", "  note: {type: str}\n"
)


def checks(folder: Path, size: Size) -> Row:
    split_table(folder, size.rows)
    seconds = timed(data.VALIDATE, folder)
    what = f"`mlctl validate`, the same {size.rows:,} rows in two splits, 7 checks more"
    return Row(what, seconds, "", None, f"{seconds:.1f} s", f"under {SECONDS} s")


def checks_memory(folder: Path, size: Size) -> Row:
    """The peak, in GB rather than seconds."""
    split_table(folder, size.rows)
    peak = peak_memory(data.VALIDATE, folder)
    return Row("memory of these checks (GB)", peak / 1e9, "", None,
               f"{peak / 1e6:.0f} MB", f"under {MEMORY / 1e6:.0f} MB")  # fmt: skip


def split_table(folder: Path, rows: int) -> None:
    """The table of `data`, with a column of texts in place of one, as two files."""
    repository(folder)
    (folder / "contracts").mkdir()
    (folder / "contracts" / "rows.yaml").write_text(CONTRACT)
    whole = pl.concat(data.made(rows)).drop("f7").with_columns(note=note())
    first = rows // 5 * 4
    tables.write(whole.head(first), folder / "data" / "train.parquet")
    tables.write(whole.slice(first), folder / "data" / "test.parquet")


def note() -> pl.Expr:
    """Eight of `WORDS` words of seven letters: 63 characters."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(letters[n * 7919 // 26**k % 26] for k in range(7)) for n in range(WORDS)]
    picked = [(pl.col("id").hash(seed) % WORDS).cast(pl.UInt32) for seed in range(60, 68)]
    return pl.concat_str((pl.lit(pl.Series(words)).gather(n) for n in picked), separator=" ")


BENCHES: dict[str, Bench] = {"checks": checks, "checks memory": checks_memory}
