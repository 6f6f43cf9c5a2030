"""Tables: CSV, Parquet, JSONL and Arrow files as Polars frames, by their ending.

A *kind* is one of `int float str bool date datetime`: what contracts and signatures call a type.
`canonical` gives the one Polars type for each, so that a check never depends on a file's widths.
"""

from __future__ import annotations

import glob
import io
import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from mlctl.adapters import table_faults
from mlctl.adapters.files import replacing
from mlctl.adapters.table_formats import FORMATS, is_table
from mlctl.errors import InvalidInput
from mlctl.plugins import missing_extra

try:
    import polars as pl
    from polars.io.plugins import register_io_source
except ModuleNotFoundError as error:
    raise missing_extra("polars", "validate") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

StrPath = str | os.PathLike[str]
ROW_GROUP = 131_072
CANNOT_READ = (pl.exceptions.PolarsError, OSError)  # what a damaged file makes Polars raise
_BATCH = 65_536  # rows
_BLOCK = 1 << 24  # bytes of JSON Lines whose types are looked at together
_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

# What a format knows of types: each column's (Parquet, Arrow), none (CSV), each value's (JSONL).
Types = Literal["column", "none", "value"]


class Part(NamedTuple):
    """Rows of a file that follow one another and have one schema; `open` reads nothing yet."""

    open: Callable[[], pl.LazyFrame]
    types: Types


_INTEGER = r"^[+-]?[0-9]+$"
_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")


def is_text(path: StrPath) -> bool:
    """Whether the format keeps no types, so that every value is text until it is parsed."""
    return Path(path).suffix.lower() in {".csv", ".tsv"}


def scan(
    path: StrPath,
    *,
    text: bool | Sequence[str] = False,
    ending: str | None = None,
    look: int | None = 10_000,
) -> pl.LazyFrame:
    """A lazy frame over one file; `text` leaves columns of CSV and TSV as text, all or those named.

    `ending` names the format of a file whose own name does not. The types in CSV and JSONL are told
    from the first `look` rows, None for all. Raises InvalidInput for a missing file or an unknown
    ending.
    """
    source = Path(path)
    if not source.is_file():
        raise InvalidInput(f"{source}: no such file")
    match (source.suffix if ending is None else ending).lower():
        case ".csv" | ".tsv" as ending:
            separator = "," if ending == ".csv" else "\t"
            if text is True:
                return pl.scan_csv(source, separator=separator, infer_schema=False, glob=False)
            return pl.scan_csv(
                source,
                separator=separator,
                try_parse_dates=True,
                infer_schema_length=look,
                schema_overrides=dict.fromkeys(text or (), pl.String),
                glob=False,
            )
        case ".parquet":
            return pl.scan_parquet(source, glob=False)
        case ".jsonl" | ".ndjson":
            return pl.scan_ndjson(glob.escape(os.fspath(source)), infer_schema_length=look)
        case ".arrow" | ".feather":
            return pl.scan_ipc(source, glob=False)
    raise InvalidInput(
        f"{source}: not a table that mlctl reads", hint=f"one of {', '.join(FORMATS)}"
    )


def read(
    path: StrPath, *, columns: Sequence[str] | None = None, text: bool = False
) -> pl.DataFrame:
    """The whole table in memory. Raises InvalidInput where the file does not parse."""
    lazy = scan(path, text=text)
    try:
        return (lazy.select(columns) if columns is not None else lazy).collect()
    except pl.exceptions.PolarsError as error:
        raise unreadable(path, error) from None


def parts(path: StrPath) -> Iterator[Part]:
    """The rows of a file in order, so that none of it needs to be whole in memory.

    Raises Unreadable for a file that can be no table, InvalidInput for an ending that we do not
    know, and OSError for a file that cannot be opened.
    """
    table_faults.check_start(path)
    if Path(path).suffix.lower() in {".jsonl", ".ndjson"}:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK) + file.readline():
                if not block.isspace():
                    yield Part(partial(_ndjson, block), "value")
    else:
        text = is_text(path)
        yield Part(partial(scan, path, text=text), "none" if text else "column")


def _ndjson(block: bytes) -> pl.LazyFrame:
    return pl.read_ndjson(io.BytesIO(block), infer_schema_length=None).lazy()


def part_batches(lazy: pl.LazyFrame, types: Types) -> Iterator[pl.DataFrame]:
    """The rows of a part, some at a time. Text is read with all its columns, so that it is whole.

    Polars overlooks a row with too many fields where only some columns are asked for.
    """
    options = pl.QueryOptFlags(projection_pushdown=types != "none")
    return iter(lazy.collect_batches(chunk_size=_BATCH, maintain_order=True, optimizations=options))


def check_rows(path: StrPath, width: int) -> None:
    """Raise Unreadable where a row of a CSV or TSV has not `width` fields.

    Polars fills short rows up, so a last column with missing values is reason to ask. The lines are
    first looked at roughly and fast; what looks wrong then is parsed by `csv`, which takes longer.
    """
    separator = "," if Path(path).suffix.lower() == ".csv" else "\t"
    line = pl.col("line")
    bare = line.str.replace_all(r'"(?:[^"]|"")*"', "")
    fields = bare.str.count_matches(separator, literal=True) + 1
    odd = (fields != width) | bare.str.contains('"', literal=True)
    lines = pl.scan_csv(
        Path(path),
        separator="\x1f",
        quote_char=None,
        has_header=False,
        infer_schema=False,
        glob=False,
    ).rename(lambda _: "line")
    try:
        looks_odd = lines.select(odd.fill_null(width > 1).any()).collect(engine="streaming").item()
    except _ERRORS:  # that character stands in the text
        looks_odd = True
    if looks_odd:
        table_faults.check_text(path)


@contextmanager
def explaining(path: StrPath) -> Iterator[None]:
    """Errors of reading `path` as `table_faults.Unreadable`, with the place where it is."""
    try:
        yield
    except _ERRORS as error:
        raise table_faults.explained(path, str(error)) from None


def unreadable(path: StrPath, error: Exception) -> InvalidInput:
    """The error for a file that does not parse."""
    said = str(error).strip().split("\n\n")[0] or type(error).__name__
    return InvalidInput(f"{path}: cannot be read as a table: {said}")


def kind_of(dtype: pl.DataType) -> str | None:
    """The kind of a Polars type; None for nested, binary, time and other types."""
    if dtype.is_integer():
        return "int"
    if dtype.is_float() or dtype.is_decimal():
        return "float"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "str"
    return {pl.Boolean: "bool", pl.Date: "date", pl.Datetime: "datetime"}.get(dtype.base_type())


def canonical(kind: str) -> pl.DataType:
    """The type that values of `kind` are compared in; datetimes are in UTC, without a zone."""
    types: dict[str, pl.DataType] = {
        "int": pl.Int64(),
        "float": pl.Float64(),
        "str": pl.String(),
        "bool": pl.Boolean(),
        "date": pl.Date(),
        "datetime": pl.Datetime("us"),
    }
    return types[kind]


def parse(column: str, kind: str, text: pl.Expr | None = None) -> pl.Expr:
    """A text column as `kind`; null where the text does not read as one.

    `text` is the column where it is not one of text itself.

    Booleans are `true` and `false` in any case; dates are ISO 8601; datetimes are ISO 8601 with
    `T` or a blank, those with a zone are turned to UTC.
    """
    text = pl.col(column) if text is None else text
    match kind:
        case "int":
            whole = pl.when(text.str.contains(_INTEGER)).then(text)
            return whole.cast(pl.Int64, strict=False).alias(column)
        case "float":
            return text.cast(pl.Float64, strict=False)
        case "bool":
            words = {"true": True, "false": False}
            lowered = text.str.to_lowercase()
            return lowered.replace_strict(words, default=None, return_dtype=pl.Boolean)
        case "date":
            return text.str.to_date("%Y-%m-%d", strict=False)
        case "datetime":
            return _parse_moment(text).alias(column)
    return text


def write(frame: pl.DataFrame, path: StrPath) -> None:
    """Write `frame` atomically, in the format that the ending names."""
    write_batches(iter([frame]), frame.schema, path)


def batches(lazy: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    """The frame in order, `rows` rows at a time, without holding it whole."""
    return iter(lazy.collect_batches(chunk_size=rows, maintain_order=True))


def write_batches(
    frames: Iterator[pl.DataFrame], schema: Mapping[str, pl.DataType], path: StrPath
) -> None:
    """Write `frames` one after the other as one table, atomically, in the format of the ending.

    The bytes do not depend on how the rows are cut into frames. What `frames` raises, this raises,
    and nothing is written.
    """
    target = Path(path)
    if not is_table(target):
        raise InvalidInput(f"{target}: not a table format", hint=f"one of {', '.join(FORMATS)}")

    def source(*_pushed_down: object) -> Iterator[pl.DataFrame]:
        yield from frames

    lazy = register_io_source(source, schema=pl.Schema(schema))
    try:
        with replacing(target) as temporary:
            _sink(lazy, Path(temporary), target.suffix.lower())
    except pl.exceptions.PolarsError as error:
        raise InvalidInput(f"{target}: cannot be written: {error}") from None


def _sink(lazy: pl.LazyFrame, path: Path, ending: str) -> None:
    match ending:
        case ".csv":
            lazy.sink_csv(path)
        case ".tsv":
            lazy.sink_csv(path, separator="\t")
        case ".parquet":
            lazy.sink_parquet(path, row_group_size=ROW_GROUP)
        case ".jsonl" | ".ndjson":
            lazy.sink_ndjson(path)
        case _:
            lazy.sink_ipc(path, record_batch_size=ROW_GROUP)


def _parse_moment(text: pl.Expr) -> pl.Expr:
    zoned = text.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    naive = [text.str.to_datetime(f, strict=False, time_unit="us") for f in _MOMENTS]
    day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    return pl.coalesce(*naive, zoned.dt.replace_time_zone(None), day)
