"""A first contract from data: what it seems to promise, with room to spare.

What is found holds for the data that it was found in, and ranges are widened and rounded: the exact
minimum and maximum of a sample say little about what comes next, and would fail on good data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from mlctl.data.contracts.contract import ColumnContract, Contract, Kind, Scalar
from mlctl.data.contracts.reading import converted_series

if TYPE_CHECKING:
    import polars as pl

_ID_NAME = re.compile(r"(^|_)(id|key|uuid|guid|index|idx)$|(?<=[a-z])(Id|ID)$", re.IGNORECASE)
_LEADING_ZERO = r"^[+-]?0[0-9]"
_MOST_CATEGORIES = 20
_MOST_CODES = 10  # whole numbers that are categories: classes, flags, grades
_SEEN_PER_VALUE = 20  # rows for each distinct value, before the values are taken for all there are
_FIRST_YEAR = 1000  # YAML's dates have four digits
_LARGEST = 2.0**53  # whole numbers beyond are not exact in JSON and YAML readers


@dataclass(frozen=True, slots=True)
class Inferred:
    """A contract and, for each column, why it says what it says."""

    contract: Contract
    notes: dict[str, str]


def infer(frame: pl.DataFrame, *, data: str, name: str, file: str, text: bool = False) -> Inferred:
    """The contract that `frame` suggests; `text` says that it comes from a format without types."""
    columns, notes = [], {}
    for series in frame:
        column, note = _column(series, text=text)
        columns.append(column)
        notes[series.name] = note
    key = next((c.name for c in columns if c.unique and not c.nullable), None)
    contract = Contract(
        name=name,
        file=file,
        data=data,
        columns=tuple(columns),
        min_rows=_leading_digit(frame.height // 2),
        key=(key,) if key else (),
    )
    return Inferred(contract, notes)


def _column(series: pl.Series, *, text: bool) -> tuple[ColumnContract, str]:
    kind, values = _typed(series, text=text)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    missing = values.null_count()
    nullable = missing > 0
    present = values.drop_nulls()
    base = ColumnContract(series.name, kind, nullable=nullable)
    if kind == "any" or present.len() == 0:
        return base, "empty" if present.len() == 0 else f"{series.dtype}: not checked further"
    share = f"; {missing / series.len():.1%} missing" if nullable else ""
    column, note = _described(base, present)
    return column, note + share


def _typed(series: pl.Series, *, text: bool) -> tuple[Kind, pl.Series]:
    """The first kind that every value reads as, and the series in it."""
    kinds: tuple[Kind, ...] = ("bool", "int", "float", "date", "datetime", "str")
    for kind in kinds:
        if not text and series.dtype.is_numeric() and kind == "bool":
            continue
        converted = converted_series(series, kind, text=text)
        if converted is None or converted.null_count() != series.null_count():
            continue
        if series.null_count() == series.len():
            return "str" if text else "any", series
        if text and kind in {"int", "float"} and series.str.contains(_LEADING_ZERO).any():
            continue  # 007 is a code, not a number
        return kind, converted
    return "any", series


def _described(base: ColumnContract, present: pl.Series) -> tuple[ColumnContract, str]:
    distinct = present.n_unique()
    if base.type in {"int", "str"} and _is_id(base, present, distinct):
        return _with(base, unique=True), "an id: each row has its own"
    match base.type:
        case "str":
            return _text(base, present, distinct)
        case "int" if distinct <= _MOST_CODES and present.len() >= distinct * _SEEN_PER_VALUE:
            return _with(base, values=tuple(sorted(present.unique().to_list()))), "a code"
        case "int" | "float":
            return _number(base, present)
        case "date" | "datetime":
            return _moment(base, present)
    return base, "true or false"


def _is_id(base: ColumnContract, present: pl.Series, distinct: int) -> bool:
    if base.nullable or distinct < present.len() or not _ID_NAME.search(base.name):
        return False
    return present.len() > 1


def _text(base: ColumnContract, present: pl.Series, distinct: int) -> tuple[ColumnContract, str]:
    if distinct <= _MOST_CATEGORIES and present.len() >= distinct * _SEEN_PER_VALUE:
        values = tuple(sorted(present.unique().to_list()))
        return _with(base, values=values), "a category: add the values that may still come"
    return base, f"text, {distinct} distinct values"


def _number(base: ColumnContract, present: pl.Series) -> tuple[ColumnContract, str]:
    low, high = float(present.min()), float(present.max())  # type: ignore[arg-type]
    note = f"seen {_short(low)} to {_short(high)}"
    if not (math.isfinite(low) and math.isfinite(high)):
        return base, note
    room = (high - low) or abs(high) or 1.0
    bottom = 0.0 if 0 <= low <= room else _rounded(low - room / 2, math.floor)
    top = 0.0 if -room <= high <= 0 else _rounded(high + room / 2, math.ceil)
    whole = base.type == "int"
    if not all(math.isfinite(x) and (not whole or abs(x) < _LARGEST) for x in (bottom, top)):
        return base, note
    if whole:
        return _with(base, low=math.floor(bottom), high=math.ceil(top)), note
    return _with(base, low=bottom, high=top), note


def _moment(base: ColumnContract, present: pl.Series) -> tuple[ColumnContract, str]:
    first, last = present.min(), present.max()
    if not isinstance(first, date) or not isinstance(last, date) or first.year < _FIRST_YEAR:
        return base, "dates"
    note = f"seen {first} to {last}"
    start = date(first.year - 1, 1, 1)
    if base.type == "datetime":
        return _with(base, low=datetime(start.year, 1, 1)), note  # noqa: DTZ001
    return _with(base, low=start), note


def _with(
    base: ColumnContract,
    *,
    unique: bool = False,
    low: Scalar | None = None,
    high: Scalar | None = None,
    values: tuple[Scalar, ...] | None = None,
) -> ColumnContract:
    return ColumnContract(base.name, base.type, base.nullable, unique, low, high, values)


def _rounded(value: float, towards: Callable[[float], int]) -> float:
    """`value` to two leading digits, away from the data."""
    if not math.isfinite(value) or value == 0:
        return value
    exponent = math.floor(math.log10(abs(value))) - 1
    step = 10.0**exponent if exponent > -300 else 0.0
    if not step:
        return value
    return float(f"{towards(value / step)}e{exponent}")


def _leading_digit(count: int) -> int:
    """`count` down to one leading digit: 284 is 200."""
    size: int = 10 ** (len(str(count)) - 1)
    return count // size * size


def _short(value: float) -> str:
    return f"{value:.6g}"
