"""Files as one table: Parquet by the column, other formats read once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from mlctl.adapters.table_formats import is_table
from mlctl.errors import InvalidInput, MlctlError
from mlctl.monitoring.results import DataRef, Finding
from mlctl.store.hashing import file_md5

if TYPE_CHECKING:
    import polars as pl

StrPath = str | os.PathLike[str]
LARGEST_HASHED = 256 << 20  # bytes of all files: beyond, hashing would take longer than the report


@dataclass(frozen=True, slots=True)
class Part:
    """One file; `frame` holds it where its format cannot be read by the column."""

    key: str
    path: str
    rows: int
    schema: Mapping[str, pl.DataType]
    frame: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class FileSource:
    """The rows of all parts, one after the other; see `cuts.Source`."""

    parts: tuple[Part, ...]
    ref: DataRef
    schema: Mapping[str, pl.DataType]
    findings: tuple[Finding, ...] = field(default=())

    @classmethod
    def open(cls, root: StrPath, path: str, keys: Sequence[str]) -> FileSource:
        """The files `keys` of `root`, which `path` names. Those that cannot be read are told.

        Raises InvalidInput where none can be read.
        """
        parts, findings = [], []
        for key in keys:
            try:
                parts.append(_part(root, key))
            except MlctlError as error:
                findings.append(Finding("unreadable_file", str(error), severity="error"))
        if not parts:
            raise InvalidInput(f"{path}: {findings[0].text}")
        schema, changed = _common(parts)
        ref = DataRef(path, len(parts), sum(part.rows for part in parts), digest_of(parts))
        return cls(tuple(parts), ref, schema, (*findings, *changed))

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """These columns of all rows, in the rows' order. What a part lacks is null in its rows."""
        import polars as pl

        wanted = {name: self.schema[name] for name in columns}
        if not wanted:
            return pl.DataFrame()
        frames = [_read(part, wanted) for part in self.parts]
        return frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=False)


def find(root: StrPath, path: str, role: str) -> list[str]:
    """The keys of the files that `path` names: one, those of a folder, or those of a glob.

    Raises InvalidInput where there is none.
    """
    if Path(root, path).is_file():  # a name with brackets in it is a file first
        return [path]
    pattern = f"{path.rstrip('/')}/**/*" if Path(root, path).is_dir() else path
    found = sorted(
        key.replace(os.sep, "/")
        for key in glob(pattern, root_dir=root, recursive=True)
        if Path(root, key).is_file() and (pattern == path or is_table(key))
    )
    if not found:
        raise InvalidInput(
            f"{path}: no such file, and it is to be the {role} data",
            hint="run the pipeline, or `dvc pull`, to get it",
        )
    return found


def digest_of(parts: Sequence[Part]) -> str:
    """`md5:…` of one file, or of the list of theirs; empty for more than `LARGEST_HASHED`."""
    if sum(os.stat(part.path).st_size for part in parts) > LARGEST_HASHED:
        return ""
    digests = [file_md5(part.path) for part in parts]
    if len(digests) == 1:
        return f"md5:{digests[0]}"
    listing = "".join(f"{md5} {part.key}\n" for md5, part in zip(digests, parts, strict=True))
    return f"md5:{hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest()}"


def _part(root: StrPath, key: str) -> Part:
    import polars as pl

    from mlctl.adapters import tables

    path = os.path.join(root, key)
    if not key.lower().endswith(".parquet"):
        frame = tables.read(path)
        return Part(key, path, frame.height, frame.schema, frame)
    try:
        lazy = pl.scan_parquet(path, glob=False)
        return Part(key, path, lazy.select(pl.len()).collect().item(), dict(lazy.collect_schema()))
    except tables.CANNOT_READ as error:
        raise tables.unreadable(key, error) from None


def _read(part: Part, wanted: Mapping[str, pl.DataType]) -> pl.DataFrame:
    import polars as pl

    from mlctl.adapters import tables

    there = [name for name in wanted if name in part.schema]
    if part.frame is not None:
        frame = part.frame.select(there)
    else:
        try:
            frame = pl.read_parquet(part.path, columns=there, glob=False)
        except tables.CANNOT_READ as error:
            raise tables.unreadable(part.key, error) from None
    columns = [
        pl.repeat(None, part.rows, dtype=kind, eager=True).alias(name)
        if name not in part.schema
        else frame[name].cast(kind, strict=False)
        for name, kind in wanted.items()
        if part.schema.get(name) != kind
    ]
    if not there:
        return pl.DataFrame(columns)
    return frame.with_columns(columns).select(list(wanted)) if columns else frame


def _common(parts: Sequence[Part]) -> tuple[dict[str, pl.DataType], list[Finding]]:
    """The type of each column that holds those of all parts, and where they differ."""
    import polars as pl

    kinds: dict[str, list[pl.DataType]] = {}
    for part in parts:
        for name, kind in part.schema.items():
            known = kinds.setdefault(name, [])
            if kind not in known:
                known.append(kind)
    schema: dict[str, pl.DataType] = {}
    findings = []
    for name, found in kinds.items():
        seen = [kind for kind in found if kind != pl.Null] or found
        schema[name] = seen[0] if len(seen) == 1 else _supertype(seen)
        if len(seen) > 1:
            said = f"{name} is {' and '.join(map(str, seen))} in different files"
            findings.append(Finding("mixed_types", said, name))
    return schema, findings


def _supertype(kinds: Sequence[pl.DataType]) -> pl.DataType:
    import polars as pl

    try:
        frames = [pl.DataFrame(schema={"x": kind}) for kind in kinds]
        return pl.concat(frames, how="vertical_relaxed").schema["x"]
    except pl.exceptions.PolarsError:
        return pl.String()
