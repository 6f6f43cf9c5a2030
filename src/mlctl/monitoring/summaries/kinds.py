"""What a column holds, inferred from the reference alone: the current data cannot change it."""

from __future__ import annotations

import polars as pl

from mlctl.monitoring.spec import Kind

FEW_VALUES = 12  # whole numbers of at most so many distinct values are categories
MANY_VALUES = 50  # text of more distinct values may be identifiers or free text
LONG_TEXT = 40  # characters, of the middle value of a column that is then free text
_LOOKED_AT = 20_000  # values, from which the kind of a long column is told


def kind_of(column: pl.Series) -> Kind:
    """Numbers, categories, identifiers, moments, free text, embeddings or something else."""
    dtype = column.dtype
    if dtype.is_temporal() and dtype != pl.Duration:
        return "time"
    if isinstance(dtype, (pl.List, pl.Array)):
        inner = dtype.inner
        return "embedding" if isinstance(inner, pl.DataType) and inner.is_numeric() else "other"
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null):
        return "other"
    if dtype.is_float() or dtype.is_decimal() or dtype == pl.Duration:
        return "numeric"
    if dtype == pl.Boolean:
        return "categorical"
    some = column.gather_every(max(1, column.len() // _LOOKED_AT)).drop_nulls()
    distinct = some.n_unique()
    if dtype.is_integer():
        return "categorical" if distinct <= FEW_VALUES else "numeric"
    if distinct <= MANY_VALUES or distinct <= 0.5 * some.len():
        return "categorical"
    middle = some.cast(pl.String).str.len_chars().median()
    spaces = some.cast(pl.String).str.contains(" ", literal=True).mean()
    is_long = isinstance(middle, float) and middle >= LONG_TEXT
    return "text" if is_long and isinstance(spaces, float) and spaces > 0.5 else "identifier"


def numbers(column: pl.Series) -> pl.Series:
    """The values as floats; null where a value is none, NaN or infinite."""
    dtype = column.dtype
    if dtype == pl.Duration:
        column = column.dt.total_microseconds() / 1e6
    elif dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.Series(column.name, [None] * column.len(), dtype=pl.Float64)
    elif dtype.is_temporal():
        column = column.cast(pl.String)
    values = column.cast(pl.Float64, strict=False)
    if not dtype.is_float():
        return values
    finite = values.is_finite()
    return values if finite.all() and not values.null_count() else values.set(~finite, None)


def words(column: pl.Series, like: pl.DataType) -> pl.Series:
    """The values as text; numbers that a null or a CSV made floats as the integers they were."""
    dtype = column.dtype
    if like.is_integer() and not dtype.is_integer():
        values = numbers(column)
        whole = values.cast(pl.Int64, strict=False)
        column = whole.set((values != whole.cast(pl.Float64)).fill_null(False), None)
    elif like == pl.Boolean and dtype.is_numeric():
        column = column.cast(pl.Boolean, strict=False)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null):
        return pl.Series(column.name, [None if v is None else "?" for v in column], dtype=pl.String)
    return column.cast(pl.String, strict=False)
