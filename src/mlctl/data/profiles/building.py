"""Reading tables for their profiles: in chunks of fixed size, the columns of a chunk side by side.

What comes out depends on the bytes of the files alone: not on the machine, its memory or the
number of its processors.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mlctl.data.profiles.marks import Marks
from mlctl.data.profiles.opening import TableFile, Tables, naming, read_tables
from mlctl.plugins import missing_extra

try:
    from mlctl.data.profiles.column import Column, Kind, of_series
except ModuleNotFoundError as error:
    raise missing_extra(error.name or "numpy", "validate") from error

if TYPE_CHECKING:
    import polars as pl

_CELLS = 1 << 24  # of a chunk: 128 MB of numbers
_LEAST, _MOST = 1 << 10, 1 << 20  # rows of a chunk
_WORTH_THREADS = 10_000  # cells


@dataclass(frozen=True, slots=True)
class Table:
    """What was read: the rows of all files together."""

    rows: int
    columns: tuple[Column, ...]


def build(files: Sequence[TableFile], marks: Marks) -> Table | None:
    """The profile of the files as one table; None where they have different columns.

    Raises InvalidInput for a file that does not parse.
    """
    return read_tables(files, marks, partial(_build, marks=marks))


def _build(tables: Tables, *, marks: Marks) -> Table | None:
    names = tables.columns[0]
    if any(sorted(other) != sorted(names) for other in tables.columns):
        return None
    rows = 0
    merged = [_none_yet(name, tables.kinds[name], marks) for name in names]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for file, frame in zip(tables.files, tables.frames, strict=True):
            with naming(file.name):
                for chunk in _chunks(frame, len(names)):
                    rows += chunk.height
                    merged = _add(merged, chunk, pool)
    return Table(rows, tuple(merged))


def _none_yet(name: str, kind: Kind, marks: Marks) -> Column:
    import polars as pl

    from mlctl.adapters import tables

    dtype = pl.Null() if kind == "other" else tables.canonical(kind)
    return of_series(pl.Series(name, [], dtype=dtype), kind, shown=name in marks.shown)


def _add(merged: Sequence[Column], chunk: pl.DataFrame, pool: ThreadPoolExecutor) -> list[Column]:
    def added(column: Column) -> Column:
        return column.merge(of_series(chunk[column.name], column.kind, shown=column.shown))

    small = chunk.height * chunk.width < _WORTH_THREADS
    return [added(column) for column in merged] if small else list(pool.map(added, merged))


def _chunks(frame: pl.LazyFrame, width: int) -> Iterator[pl.DataFrame]:
    """The rows in frames of one size, which depends on the number of columns alone."""
    import polars as pl

    from mlctl.adapters import tables

    rows = 1 << (_CELLS // max(width, 1)).bit_length() - 1
    rows = min(max(rows, _LEAST), _MOST)
    waiting: list[pl.DataFrame] = []
    for frame_read in tables.batches(frame, rows):
        waiting.append(frame_read)
        while sum(part.height for part in waiting) >= rows:
            whole = pl.concat(waiting) if len(waiting) > 1 else waiting[0]
            yield whole[:rows]
            waiting = [whole[rows:]] if whole.height > rows else []
    if waiting:
        yield pl.concat(waiting)
