"""How a column of a file reads as what its contract says: widths and formats fall away here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from mlctl.adapters.tables import Types


@dataclass(frozen=True, slots=True)
class Reading:
    """Expressions over a column of a file.

    `value` is the column in its contract's type, missing values (NaN too) null. `bad` is true where
    a value does not read as the type, None where each does. `unfit` is true where a value stands in
    a column whose type is another one altogether.
    """

    value: pl.Expr
    bad: pl.Expr | None = None
    unfit: pl.Expr | None = None


def reading(name: str, dtype: pl.DataType | None, kind: str, types: Types) -> Reading:
    """How the column `name` of type `dtype` (None where it is not there) reads as `kind`.

    Int32 is int, whole numbers are floats where floats are wanted, dates are datetimes, text is
    parsed where the format has no types.
    """
    import polars as pl

    from mlctl.adapters.tables import canonical

    raw = pl.col(name)
    nothing = pl.lit(None, dtype=pl.Null() if kind == "any" else canonical(kind))
    if dtype is None:
        return Reading(nothing)
    if kind == "any":
        return Reading(_without_nan(_as_text(raw, dtype), dtype))
    converted = conversion(name, dtype, kind, types)
    if converted is None:
        return Reading(nothing, _worse(name, dtype, kind, types), raw.is_not_null())
    value = _without_nan(converted, canonical(kind))
    if _always_converts(dtype, kind):
        return Reading(value)
    return Reading(value, converted.is_null() & raw.is_not_null())


def conversion(name: str, dtype: pl.DataType, kind: str, types: Types) -> pl.Expr | None:
    """The column as `kind`, null where a value does not read as one; None for another type."""
    import polars as pl

    from mlctl.adapters.tables import canonical, kind_of, parse

    own = kind_of(dtype)
    if own == "str" and kind != "str" and (types == "none" or kind in {"date", "datetime"}):
        return parse(name, kind, _as_text(pl.col(name), dtype))
    value = pl.col(name)
    if own == "datetime" and kind == "datetime" and getattr(dtype, "time_zone", None):
        value = value.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if own == kind or (own, kind) in {("int", "float"), ("date", "datetime")}:
        return value.cast(canonical(kind), strict=False)
    return None


def _worse(name: str, dtype: pl.DataType, kind: str, types: Types) -> pl.Expr | None:
    """Where values have types of their own: which of an unfit column's are at fault, as it seems.

    A column of whole numbers and a text was read as text; one with a fraction, as fractions.
    """
    import polars as pl

    from mlctl.adapters.tables import kind_of, parse

    if types != "value":
        return None
    raw = pl.col(name)
    own = kind_of(dtype)
    if own == "str":
        return parse(name, kind, raw).is_null() & raw.is_not_null()
    return (raw != raw.floor()).fill_null(False) if (own, kind) == ("float", "int") else None


def _always_converts(dtype: pl.DataType, kind: str) -> bool:
    """Whether no value can be lost."""
    import polars as pl

    from mlctl.adapters.tables import kind_of

    if kind == "float":
        return dtype.is_numeric()
    if kind == "int":
        return dtype in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
    if kind == "datetime":
        return isinstance(dtype, pl.Datetime) and dtype.time_unit != "ms"
    return kind_of(dtype) == kind


def _as_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Categories as the texts that they stand for: their codes differ from file to file."""
    import polars as pl

    return value.cast(pl.String) if dtype in (pl.Categorical, pl.Enum) else value


def _without_nan(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return value.fill_nan(None) if dtype.is_float() else value
