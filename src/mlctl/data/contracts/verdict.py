"""Judging a frame by a compiled contract: every failure at once, with rows and values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlctl.data.contracts.compile import NOT_NULL, UNIQUE, Compiled, Rule
from mlctl.data.contracts.contract import ColumnContract, Contract
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.records.canonical import float_text

if TYPE_CHECKING:
    import polars as pl

SHOWN = 10  # rows named of each failure
_LONGEST = 80  # characters shown of a text

_PANDERA_NAMES = {"not_nullable": NOT_NULL, "field_uniqueness": UNIQUE}


def judge(frame: pl.DataFrame, compiled: Compiled, *, text: bool = False) -> Verdict:
    """The verdict on `frame`; `text` says that it comes from a format without types (CSV).

    Missing values are nulls, and NaN in float columns. A column that is missing or does not read as
    its type fails for that, and its other rules are not judged.
    """
    contract = compiled.contract
    ready = conform(frame, contract, text=text)
    broken = _pandera_failures(ready, compiled)
    failures = [*_shape_failures(frame, contract, broken, text=text)]
    unfit = {failure.column for failure in failures if failure.check.startswith(("type", "column"))}
    for rule in compiled.rules:
        if (rule.column, rule.check) in broken and not unfit.intersection(rule.shown):
            failures += _located(ready, rule)
    order = {name: index for index, name in enumerate(("", *frame.columns))}
    failures.sort(key=lambda failure: order.get(failure.column, -1))
    return Verdict(frame.height, frame.width, compiled.checks, tuple(failures))


def conform(frame: pl.DataFrame, contract: Contract, *, text: bool) -> pl.DataFrame:
    """`frame` with each column in its contract's type, where every value of it reads as one.

    Widths do not matter (Int32 is int), whole numbers are floats where floats are wanted, dates are
    datetimes; NaN becomes null. A column that does not fit is left as it is.
    """
    changed = []
    for column in contract.columns:
        if column.name in frame.columns and column.type != "any":
            series = frame[column.name]
            converted = converted_series(series, column.type, text=text)
            if converted is not None and converted.null_count() == series.null_count():
                changed.append(converted)
    ready = frame.with_columns(changed)
    floats = [name for name, dtype in ready.schema.items() if dtype.is_float()]
    return ready.with_columns(ready[name].fill_nan(None) for name in floats)


def converted_series(series: pl.Series, kind: str, *, text: bool) -> pl.Series | None:
    """`series` as `kind`, null where a value does not read as one.

    None where the types do not fit at all.
    """
    import polars as pl

    from mlctl.adapters.tables import canonical, kind_of, parse

    own = kind_of(series.dtype)
    parsed = own == "str" and kind != "str" and (text or kind in {"date", "datetime"})
    if parsed:
        return series.cast(pl.String).to_frame().select(parse(series.name, kind)).to_series()
    if series.null_count() == series.len():
        return pl.Series(series.name, [None] * series.len(), dtype=canonical(kind))
    if own == "datetime" and kind == "datetime" and getattr(series.dtype, "time_zone", None):
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if own == kind or (own, kind) in {("int", "float"), ("date", "datetime")}:
        return series.cast(canonical(kind), strict=False)
    return None


def _pandera_failures(frame: pl.DataFrame, compiled: Compiled) -> set[tuple[str, str]]:
    """(column, check) of everything that pandera found broken."""
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    depth = ValidationDepth.SCHEMA_AND_DATA
    try:
        with config_context(validation_enabled=True, validation_depth=depth):
            compiled.schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return {_identity(error) for error in errors.schema_errors}
    return set()


def _identity(error: Any) -> tuple[str, str]:
    check = getattr(error.check, "name", None) or str(error.check)
    if error.reason_code.name in {"COLUMN_NOT_IN_DATAFRAME", "COLUMN_NOT_IN_SCHEMA"}:
        return str(error.failure_cases), check
    return getattr(error.schema, "name", None) or "", _PANDERA_NAMES.get(check, check)


def _shape_failures(
    frame: pl.DataFrame, contract: Contract, broken: set[tuple[str, str]], *, text: bool
) -> list[Failure]:
    found = []
    for name, check in sorted(broken):
        if check == "column_in_dataframe":
            found.append(Failure("column missing", name))
        elif check == "column_in_schema":
            found.append(Failure("column not in the contract", name))
        elif check.startswith("rows "):
            found.append(Failure(check, count=frame.height, detail=f"{frame.height} rows"))
    unfit = {name for name, check in broken if check.startswith("dtype(")}
    found += [
        _type_failure(frame[column.name], column, text=text)
        for column in contract.columns
        if column.name in unfit
    ]
    return found


def _type_failure(series: pl.Series, column: ColumnContract, *, text: bool) -> Failure:
    """Which values do not read as the column's type; all of them where the types do not fit."""
    check = f"type {column.type}"
    converted = converted_series(series, column.type, text=text)
    if converted is None:
        return Failure(check, column.name, series.len(), 1.0, detail=f"is {series.dtype}")
    bad = converted.is_null() & series.is_not_null()
    return _rows_of(series.to_frame(), bad, check, column.name, (column.name,))


def _located(frame: pl.DataFrame, rule: Rule) -> list[Failure]:
    bad = frame.select(rule.breaks.alias("breaks")).to_series()
    failure = _rows_of(frame, bad, rule.check, rule.column, rule.shown)
    return [failure] if failure.count and failure.share > rule.max_failing else []


def _rows_of(
    frame: pl.DataFrame, bad: pl.Series, check: str, column: str, shown: Sequence[str]
) -> Failure:
    count = int(bad.sum())
    first = bad.arg_true().head(SHOWN).to_list()
    rows = frame.select(shown)[first].rows()
    values = tuple(_plain(r[0]) if len(shown) == 1 else tuple(map(_plain, r)) for r in rows)
    share = round(count / frame.height, 6) if frame.height else 0.0
    return Failure(check, column, count, share, tuple(row + 1 for row in first), values)


def _plain(value: Any) -> Any:
    """`value` as JSON holds it: dates in ISO form, NaN and infinities as text, long texts cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else float_text(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
