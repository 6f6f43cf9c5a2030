"""Two Parquet files: a line for each run, and beside it a line for each logged value."""

from __future__ import annotations

import os
from collections.abc import Sequence

import polars as pl

from mlctl.adapters.tables import write as write_table
from mlctl.experiments.exported import STEPS, ExportedRun, columns, run_row, step_rows

_STEP_TYPES = (pl.String, pl.String, pl.Int64, pl.Float64, pl.Float64, pl.String, pl.Float64)


def write(runs: Sequence[ExportedRun], target: str, *, project: str) -> list[str]:
    """`runs.parquet` and `runs.steps.parquet`, for the target `runs.parquet`."""
    del project
    table = columns([run_row(run) for run in runs])
    series = {name: _series(name, values) for name, values in table.items()}
    write_table(pl.DataFrame(series), target)
    stem, ending = os.path.splitext(target)
    steps = f"{stem}.steps{ending}"
    rows = [row for run in runs for row in step_rows(run)]
    schema = dict(zip(STEPS, _STEP_TYPES, strict=True))
    write_table(pl.DataFrame(rows, schema=schema, orient="row"), steps)
    return [target, steps]


def _series(name: str, values: list[object]) -> pl.Series:
    if name in ("started", "ended"):
        return pl.Series(name, values).str.to_datetime("%+", time_unit="ms", time_zone="UTC")
    return pl.Series(name, values)
