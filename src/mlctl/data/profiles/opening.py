"""Opening tables so that their types agree: what the contract says, else what the files hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from mlctl.data.profiles.marks import Marks
from mlctl.errors import InvalidInput

if TYPE_CHECKING:
    import polars as pl

    from mlctl.data.profiles.column import Kind

T = TypeVar("T")

_GUESSED = (".csv", ".tsv", ".jsonl", ".ndjson")  # formats whose types are told from their values
_LOOK = 10_000  # rows that tell them


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file to read; `ending` names its format, since an object in the cache has none of its own.
    `name`, which ends so too, is for messages."""

    path: str
    ending: str
    name: str


@dataclass(frozen=True, slots=True)
class Tables:
    """Files as lazy frames, of one type in each column that they share. `kinds` are of all columns;
    `columns` those of each file, in its order."""

    files: Sequence[TableFile]
    frames: Sequence[pl.LazyFrame]
    kinds: Mapping[str, Kind]
    columns: Sequence[Sequence[str]]


def read_tables(files: Sequence[TableFile], marks: Marks, work: Callable[[Tables], T]) -> T:
    """What `work` makes of the tables in `files`.

    It is called again where a value does not fit the type that the first rows had: then all rows
    are looked at. It is to read a file inside of `naming`. Raises InvalidInput for a file that does
    not parse.
    """
    try:
        return work(_opened(files, marks, _LOOK))
    except _Unreadable:
        if not any(file.ending.lower() in _GUESSED for file in files):
            raise
    return work(_opened(files, marks, None))


class _Unreadable(InvalidInput):
    """A file that does not parse as it was opened."""


@contextmanager
def naming(name: str) -> Iterator[None]:
    """What Polars cannot read in the block becomes an error that names the file."""
    from mlctl.adapters import tables

    try:
        yield
    except tables.CANNOT_READ as error:
        raise _Unreadable(tables.unreadable(name, error).message) from None


def _opened(files: Sequence[TableFile], marks: Marks, look: int | None) -> Tables:
    frames = []
    for file in files:
        with naming(file.name):
            frames.append(_open(file, marks, look))
            frames[-1].collect_schema()
    kinds = _kinds(frames)
    columns = [frame.collect_schema().names() for frame in frames]
    typed = [frame.select(_casts(frame, kinds)) for frame in frames]
    return Tables(files, typed, kinds, columns)


def _open(file: TableFile, marks: Marks, look: int | None) -> pl.LazyFrame:
    """The file, its columns as a contract says where the format is text, else as they look."""
    from mlctl.adapters import tables

    def scan(text: Sequence[str] = ()) -> pl.LazyFrame:
        return tables.scan(file.path, ending=file.ending, look=look, text=text)

    frame = scan()
    if not tables.is_text(file.name) or not marks.kinds:
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
    from polars.selectors import by_name

    from mlctl.adapters import tables

    casts: list[pl.Expr] = []
    for name, dtype in frame.collect_schema().items():
        column, kind = by_name(name), kinds[name]  # `pl.col` takes some names for patterns
        if kind == "other" or (dtype == pl.UInt64 and kind == "int"):
            casts.append(column)
        elif isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            casts.append(utc.cast(tables.canonical(kind)))
        else:
            casts.append(column.cast(tables.canonical(kind), strict=False))
    return casts
