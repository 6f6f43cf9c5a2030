"""Tables: CSV, Parquet, JSONL and Arrow files as Polars frames, by their ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from mlctl.adapters.files import replacing
from mlctl.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

StrPath = str | os.PathLike[str]
FORMATS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".arrow", ".feather")


def scan(path: StrPath) -> pl.LazyFrame:
    """A lazy frame over one file. Raises InvalidInput for a missing file or an unknown ending."""
    source = Path(path)
    if not source.is_file():
        raise InvalidInput(f"{source}: no such file")
    match source.suffix.lower():
        case ".csv":
            return pl.scan_csv(source, try_parse_dates=True, infer_schema_length=10_000)
        case ".tsv":
            return pl.scan_csv(source, separator="\t", try_parse_dates=True)
        case ".parquet":
            return pl.scan_parquet(source)
        case ".jsonl" | ".ndjson":
            return pl.scan_ndjson(source)
        case ".arrow" | ".feather":
            return pl.scan_ipc(source)
    raise InvalidInput(
        f"{source}: not a table that mlctl reads", hint=f"one of {', '.join(FORMATS)}"
    )


def read(path: StrPath, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The whole table in memory. Raises InvalidInput where the file does not parse."""
    lazy = scan(path)
    try:
        return (lazy.select(columns) if columns is not None else lazy).collect()
    except pl.exceptions.PolarsError as error:
        raise InvalidInput(f"{path}: cannot be read as a table: {error}") from None


def write(frame: pl.DataFrame, path: StrPath) -> None:
    """Write `frame` atomically, in the format that the ending names."""
    target = Path(path)
    with replacing(target) as temporary:
        match target.suffix.lower():
            case ".csv":
                frame.write_csv(temporary)
            case ".tsv":
                frame.write_csv(temporary, separator="\t")
            case ".parquet":
                frame.write_parquet(temporary)
            case ".jsonl" | ".ndjson":
                frame.write_ndjson(temporary)
            case ".arrow" | ".feather":
                frame.write_ipc(temporary)
            case _:
                raise InvalidInput(
                    f"{target}: not a table format", hint=f"one of {', '.join(FORMATS)}"
                )
