"""Reading tables for their profiles: in chunks of fixed size, the columns of a chunk side by side.

What comes out depends on the bytes of the files alone: not on the machine, its memory or the
number of its processors.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mlctl.data.profiles.column import Column, Kind, of_series
from mlctl.data.profiles.marks import Marks
from mlctl.errors import InvalidInput

if TYPE_CHECKING:
    import polars as pl

_CELLS = 1 << 24  # of a chunk: 128 MB of numbers
_LEAST, _MOST = 1 << 10, 1 << 20  # rows of a chunk
_WORTH_THREADS = 10_000  # cells
_LOOK = 10_000  # rows that tell the types of text
ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".arrow", ".feather")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file to read; `ending` names its format, since an object in the cache has none of its own.
    `name` is for messages."""

    path: str
    ending: str
    name: str


@dataclass(frozen=True, slots=True)
class Table:
    """What was read: the rows of all files together."""

    rows: int
    columns: tuple[Column, ...]


def is_table(name: str) -> bool:
    """Whether a file's name says that it holds a table."""
    return os.path.splitext(name)[1].lower() in ENDINGS


def build(files: Sequence[TableFile], marks: Marks) -> Table | None:
    """The profile of the files as one table; None where they have different columns.

    Raises InvalidInput for a file that does not parse.
    """
    try:
        return _build(files, marks, look=_LOOK)
    except _Unreadable as first:
        if not any(_is_guessed(file) for file in files):
            raise InvalidInput(first.message) from None
    try:  # a later value may be of another type than those that were looked at
        return _build(files, marks, look=None)
    except _Unreadable as error:
        raise InvalidInput(error.message) from None


class _Unreadable(InvalidInput):
    """A file that does not parse as it was opened."""


def _build(files: Sequence[TableFile], marks: Marks, *, look: int | None) -> Table | None:
    frames = []
    for file in files:
        with _naming(file):
            frames.append(_open(file, marks, look))
            frames[-1].collect_schema()
    names = [frame.collect_schema().names() for frame in frames]
    if any(sorted(other) != sorted(names[0]) for other in names):
        return None
    kinds = _kinds(frames)
    rows = 0
    merged = [_none_yet(name, kinds[name], marks) for name in names[0]]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for file, frame in zip(files, frames, strict=True):
            with _naming(file):
                for chunk in _chunks(frame.select(_casts(frame, kinds)), len(kinds)):
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


@contextmanager
def _naming(file: TableFile) -> Iterator[None]:
    import polars as pl

    from mlctl.adapters import tables

    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise _Unreadable(tables.unreadable(file.name, error).message) from None


def _is_guessed(file: TableFile) -> bool:
    return file.ending.lower() in {".csv", ".tsv", ".jsonl", ".ndjson"}


def _open(file: TableFile, marks: Marks, look: int | None) -> pl.LazyFrame:
    """The file, its columns as a contract says where the format is text, else as they look."""
    from mlctl.adapters import tables

    def scan(text: Sequence[str] = ()) -> pl.LazyFrame:
        return tables.scan(file.path, ending=file.ending, look=look, text=text)

    frame = scan()
    if not tables.is_text(file.ending) or not marks.kinds:
        return frame
    known = [name for name in frame.collect_schema().names() if name in marks.kinds]
    return scan(known).with_columns(tables.parse(name, marks.kinds[name]) for name in known)


def _kinds(frames: Sequence[pl.LazyFrame]) -> dict[str, Kind]:
    """The kind of each column in all files together."""
    from mlctl.adapters import tables

    found: dict[str, set[str]] = {}
    for frame in frames:
        for name, dtype in frame.collect_schema().items():
            found.setdefault(name, set()).add(tables.kind_of(dtype) or "other")
    return {name: _common(kinds) for name, kinds in found.items()}


def _common(kinds: set[str]) -> Kind:
    for wider in ({"int", "float"}, {"date", "datetime"}):
        if kinds == wider:
            return cast("Kind", max(wider, key=len))
    return cast("Kind", kinds.pop()) if len(kinds) == 1 else "other"


def _casts(frame: pl.LazyFrame, kinds: Mapping[str, Kind]) -> list[pl.Expr]:
    import polars as pl

    from mlctl.adapters import tables

    casts = []
    for name, dtype in frame.collect_schema().items():
        column, kind = pl.col(name), kinds[name]
        if kind == "other" or dtype == pl.UInt64 and kind == "int":
            casts.append(column)
        elif isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            casts.append(column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(tables.canonical(kind)))
        else:
            casts.append(column.cast(tables.canonical(kind), strict=False))
    return casts


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
