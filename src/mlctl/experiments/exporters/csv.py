"""Two CSV files: a line for each run, and beside it a line for each logged value."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

from mlctl.adapters.files import write_text
from mlctl.experiments.exported import STEPS, ExportedRun, columns, run_row, step_rows, text_of


def write(runs: Sequence[ExportedRun], target: str, *, project: str) -> list[str]:
    """`runs.csv` and `runs.steps.csv`, for the target `runs.csv`."""
    del project
    table = columns([run_row(run) for run in runs])
    stem, ending = os.path.splitext(target)
    steps = f"{stem}.steps{ending}"
    write_text(target, _text(list(table), zip(*table.values(), strict=True)))
    write_text(steps, _text(STEPS, (row for run in runs for row in step_rows(run))))
    return [target, steps]


def _text(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | float):
        return value
    return text_of(value)
