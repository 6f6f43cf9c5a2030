"""`mlctl validate` against Great Expectations, and on more rows than memory holds."""

from __future__ import annotations

import itertools
import shutil
import venv
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks.files import peak_memory, repository
from benchmarks.harness import MLCTL, Bench, Row, Size, run, side_by_side, timed
from mlctl.adapters import tables

STEP = 500_000  # rows made at once
LIMIT = 1e9  # bytes of memory
COLOURS = ["red", "green", "blue", "black"]
REQUIRED = ["id", "order", "line", *(f"f{i}" for i in range(8)), "i0", "i1"]
RANGES = {**{f"f{i}": (0, 10) for i in range(5)}, "i0": (0, 999), "i1": (0, 999), "i2": (0, 999)}
CONTRACT = f"""\
schema: mlctl.contract/1
data: data/rows.parquet
rows: {{min: 1}}
key: [order, line]
columns:
  id: {{type: int, unique: true}}
  order: {{type: int}}
  line: {{type: int}}
{"".join(f"  f{i}: {{type: float, min: 0, max: 10}}{chr(10)}" for i in range(5))}\
{"".join(f"  f{i}: {{type: float}}{chr(10)}" for i in range(5, 8))}\
  i0: {{type: int, min: 0, max: 999}}
  i1: {{type: int, min: 0, max: 999}}
  i2: {{type: int, nullable: true, min: 0, max: 999}}
{"".join(f"  c{i}: {{type: str, nullable: true, in: {COLOURS}}}{chr(10)}" for i in range(3))}\
  flag: {{type: bool, nullable: true}}
  code: {{type: str, nullable: true, regex: "^[A-Z]{{2}}[0-9]{{4}}$"}}
  at: {{type: datetime, nullable: true, min: 2020-01-01}}
checks:
  - expr: "i0 <= i1 + 1000"
"""
LARGE_CONTRACT = """\
schema: mlctl.contract/1
data: data/rows.parquet
key: [order, line]
columns:
  id: {type: int, unique: true}
  order: {type: int, min: 0}
  line: {type: int, min: 0, max: 3}
  f0: {type: float, min: 0, max: 10}
  c0: {type: str, in: [red, green, blue, black]}
  at: {type: datetime, min: 2020-01-01}
checks:
  - expr: "line < 4 or order < 0"
"""
# The same checks; that on two columns is asked of a pair, since GX has no expressions.
GREAT_EXPECTATIONS = f"""\
import great_expectations as gx, great_expectations.expectations as e, pandas as pd
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {{"globally": False}}
batches = context.data_sources.add_pandas("p").add_dataframe_asset("a")
batch = batches.add_batch_definition_whole_dataframe("b")
suite = context.suites.add(gx.ExpectationSuite(name="s"))
checks = [e.ExpectColumnValuesToNotBeNull(column=c) for c in {REQUIRED}]
checks += [e.ExpectColumnValuesToBeBetween(column=c, min_value=low, max_value=high)
           for c, (low, high) in {RANGES}.items()]
checks += [e.ExpectColumnValuesToBeInSet(column=c, value_set={COLOURS}) for c in ("c0", "c1", "c2")]
checks += [
    e.ExpectColumnValuesToBeUnique(column="id"),
    e.ExpectCompoundColumnsToBeUnique(column_list=["order", "line"]),
    e.ExpectColumnValuesToMatchRegex(column="code", regex="^[A-Z]{{2}}[0-9]{{4}}$"),
    e.ExpectColumnValuesToBeBetween(column="at", min_value=pd.Timestamp("2020-01-01")),
    e.ExpectTableRowCountToBeBetween(min_value=1),
    e.ExpectColumnPairValuesAToBeGreaterThanB(column_A="j1", column_B="i0", or_equal=True),
]
assert len(checks) == 30
for check in checks:
    suite.add_expectation(check)
wanted = gx.ValidationDefinition(name="v", data=batch, suite=suite)
found = context.validation_definitions.add(wanted)
frame = pd.read_parquet("data/rows.parquet")
frame["j1"] = frame["i1"] + 1000
assert found.run(batch_parameters={{"dataframe": frame}}).success
"""


def validate(folder: Path, size: Size) -> Row:
    data_set(folder, size.rows, CONTRACT)
    what = f"`mlctl validate`, {size.rows:,} rows × 20 columns, 30 checks"
    target = "under 1.2 s, at least 4 times faster"
    if not size.peers:
        return Row(what, timed(VALIDATE, folder), "", None, "", target)
    (folder / "great.py").write_text(GREAT_EXPECTATIONS)
    peer = [str(great_expectations(folder.parent / "gx")), "great.py"]
    ours, theirs = side_by_side(VALIDATE, peer, folder, 5, before=lambda: forget(folder))
    return Row(what, ours, "Great Expectations", theirs,
               f"{theirs / ours:.1f} times faster", target)  # fmt: skip


def validate_memory(folder: Path, size: Size) -> Row:
    """The peak, in GB rather than seconds."""
    data_set(folder, size.rows, CONTRACT)
    peak = peak_memory(VALIDATE, folder)
    return Row(f"memory of the same {size.rows:,} rows (GB)", peak / 1e9, "", None,
               f"{peak / 1e6:.0f} MB", f"under {LIMIT / 1e6:.0f} MB")  # fmt: skip


def validate_large(folder: Path, size: Size) -> Row:
    """More rows than the limit of memory holds; two rules ask for what must not stand twice."""
    data_set(folder, size.large_rows, LARGE_CONTRACT, columns=6)
    seconds = timed(VALIDATE, folder)
    forget(folder)
    peak = peak_memory(VALIDATE, folder)
    return Row(f"`mlctl validate`, {size.large_rows:,} rows × 6 columns", seconds, "", None,
               f"{peak / 1e6:.0f} MB of memory", f"under {LIMIT / 1e6:.0f} MB")  # fmt: skip


VALIDATE = [*MLCTL, "validate", "--no-report"]


def data_set(folder: Path, rows: int, contract: str, *, columns: int = 20) -> None:
    """A repository with a table and its contract."""
    repository(folder)
    (folder / "contracts").mkdir()
    (folder / "contracts" / "rows.yaml").write_text(contract)
    names = ["id", "order", "line", "f0", "c0", "at"] if columns == 6 else pl.all()
    frames = (frame.select(names) for frame in made(rows))
    first = next(frames)
    everything = itertools.chain([first], frames)
    tables.write_batches(everything, first.schema, folder / "data" / "rows.parquet")


def made(rows: int) -> Iterator[pl.DataFrame]:
    """A table of 20 columns that keeps the contract, some rows at a time."""
    for start in range(0, rows, STEP):
        row = pl.int_range(start, min(rows, start + STEP), eager=True).alias("row")
        yield row.to_frame().select(columns())


def columns() -> list[pl.Expr]:
    row = pl.col("row")

    def number(seed: int, below: int) -> pl.Expr:
        return (row.hash(seed) % below).cast(pl.Int64)

    def colour(seed: int) -> pl.Expr:
        return number(seed, 4).replace_strict(range(4), COLOURS, return_dtype=pl.String)

    return [
        ((row * 2_654_435_761 + 17) % (1 << 40)).alias("id"),
        (row // 4).alias("order"),
        (row % 4).alias("line"),
        *((number(i, 10**9) / 10**8).alias(f"f{i}") for i in range(8)),
        *(number(20 + i, 1000).alias(f"i{i}") for i in range(3)),
        *(colour(30 + i).alias(f"c{i}") for i in range(3)),
        (number(40, 2) == 1).alias("flag"),
        pl.concat_str(pl.lit("AB"), (number(50, 9000) + 1000).cast(pl.String)).alias("code"),
        (pl.lit(1_577_836_800_000_000) + row * 1_000_000).cast(pl.Datetime("us")).alias("at"),
    ]


def forget(folder: Path) -> None:
    """As before the first verdict: neither it nor the digest of the data is known."""
    shutil.rmtree(folder / ".mlctl" / "verdicts", ignore_errors=True)
    (folder / ".mlctl" / "state.db").unlink(missing_ok=True)


def great_expectations(folder: Path) -> Path:
    """The Python of a new environment with Great Expectations in it."""
    python = folder / "bin" / "python"
    venv.create(folder, with_pip=True)
    run([str(python), "-m", "pip", "install", "-q", "great_expectations>=1,<2", "pyarrow"], folder)
    return python


BENCHES: dict[str, Bench] = {
    "validate": validate,
    "validate memory": validate_memory,
    "validate large": validate_large,
}
