"""The files that a monitor reads: found, hashed, and read as one table for each side."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from mlctl.errors import InvalidInput, suggestion
from mlctl.monitoring.record import DataRef
from mlctl.monitoring.spec import MonitorSpec
from mlctl.plugins import missing_extra
from mlctl.store.hashing import file_md5

if TYPE_CHECKING:
    import polars as pl

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Side:
    """The reference or the current data, read."""

    table: pl.DataFrame
    ref: DataRef


def read_side(root: StrPath, path: str, *, what: str) -> Side:
    """The table of all files that `path` names, in the order of their names.

    Files of a glob need not have the same columns: what one lacks is missing in its rows.
    Raises InvalidInput where no file is there, or one cannot be read, MissingExtra without Polars.
    """
    try:
        import numpy  # noqa: F401, ICN001
        import polars as pl

        from mlctl.adapters import tables
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or "polars", "monitor") from error

    found = _find(root, path, what)
    frames = [tables.read(Path(root, key)) for key in found]
    try:
        table = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise InvalidInput(f"{path}: the files do not make one table: {error}") from None
    digests = [file_md5(os.fspath(Path(root, key))) for key in found]
    if len(found) > 1:
        listing = "".join(f"{md5} {key}\n" for md5, key in zip(digests, found, strict=True))
        digests = [hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()]
    return Side(table, DataRef(path, len(found), table.height, f"md5:{digests[0]}"))


def chosen_columns(spec: MonitorSpec, file: str, columns: list[str]) -> list[str]:
    """Those of the reference's `columns` that are compared, in their order.

    Raises InvalidInput where a listed column or glob matches none.
    """
    for pattern in (*spec.include, *spec.exclude):
        if not any(_matches(name, pattern) for name in columns):
            raise InvalidInput(
                f"{file}: no column of {spec.reference} matches {pattern!r}",
                hint=suggestion(pattern, columns),
            )
    return [
        name
        for name in columns
        if name != spec.time
        and (not spec.include or any(_matches(name, p) for p in spec.include))
        and not any(_matches(name, p) for p in spec.exclude)
    ]


def period_of(table: pl.DataFrame, column: str, *, path: str) -> str:
    """The days that `table` spans: `2026-05-01`, or `2026-05-01_2026-05-31`.

    Raises InvalidInput where the column is missing or holds no moments.
    """
    import polars as pl

    if column not in table.columns:
        raise InvalidInput(
            f"{path}: no column {column!r}, which is to tell the time",
            hint=suggestion(column, table.columns),
        )
    values = table[column]
    try:
        if values.dtype == pl.String:
            values = values.str.to_datetime(strict=True, time_zone="UTC")
        days = values.cast(pl.Date) if values.dtype.is_temporal() else None
    except pl.exceptions.PolarsError:
        days = None
    if days is None or values.dtype in (pl.Time, pl.Duration):
        raise InvalidInput(f"{path}: column {column!r} holds no dates but {table[column].dtype}")
    first, last = str(days.min()), str(days.max())
    if days.null_count() == days.len():
        raise InvalidInput(f"{path}: column {column!r} holds no date at all")
    return first if first == last else f"{first}_{last}"


def _find(root: StrPath, path: str, what: str) -> list[str]:
    if Path(root, path).is_file():  # a name with brackets in it is a file first
        return [path]
    found = sorted(
        key.replace(os.sep, "/")
        for key in glob(path, root_dir=root, recursive=True)
        if Path(root, key).is_file()
    )
    if not found:
        raise InvalidInput(
            f"{path}: no such file, and it is to be the {what} data",
            hint="run the pipeline, or `dvc pull`, to get it",
        )
    return found


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
