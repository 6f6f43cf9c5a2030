"""What no data could keep: promises of a contract that contradict one another. Pure."""

from __future__ import annotations

import re
from typing import Any

from mlctl.data.contracts.columns import Path
from mlctl.data.contracts.model import ColumnContract, Contract, Scalar
from mlctl.records.document import Document


def check_column(document: Document, column: ColumnContract) -> None:
    """Raise ConfigError where the rules of a column leave no value, or list one that breaks them.

    What stands in `in` must keep every other rule of the column.
    """
    path: Path = ("columns", column.name)
    for low, high in (("min", "max"), ("min", "below"), ("above", "max"), ("above", "below")):
        _check_order(document, column, low, high)
    if column.max_missing and not column.nullable:
        said = "values may not be missing, as `nullable: false` says"
        raise document.error((*path, "max_missing"), said)
    at = (*path, "in") if isinstance(document.get(*path, "in"), list) else (*path, "in", "value")
    for index, value in enumerate(column.values or ()):
        if (rule := _broken(column, value)) is not None:
            raise document.error((*at, index), f"{value!r} is listed, and breaks {rule!r}")


def check_whole(document: Document, contract: Contract) -> None:
    """Raise ConfigError where rows, key, freshness and columns contradict one another."""
    low, high = contract.min_rows, contract.max_rows
    if high is not None and low > high:
        raise document.error(("rows", "min"), f"min {low} is greater than max {high}")
    for index, name in enumerate(contract.key):
        column = contract.column(name)
        if column is not None and column.nullable:
            said = f"{name!r} may be missing, and a key may not"
            raise document.error(("key", index), said, hint=f"make columns.{name} not nullable")
    freshness = contract.freshness
    column = contract.column(freshness.column) if freshness else None
    if column is not None and column.type not in {"date", "datetime"}:
        said = f"{column.name!r} is of type {column.type}, not a date or datetime"
        raise document.error(("freshness", "column"), said)
    for column in contract.columns:
        _check_enough(document, contract, column)


def _check_order(document: Document, column: ColumnContract, low: str, high: str) -> None:
    first, last = getattr(column, low), getattr(column, high)
    if first is None or last is None:
        return
    if first > last:
        said = f"{low} {first} is greater than {high} {last}"
    elif _leaves_nothing(first, last, open_ends=(low == "above") + (high == "below")):
        said = f"nothing lies between {low} {first} and {high} {last}"
    else:
        return
    raise document.error(("columns", column.name, low), said)


def _leaves_nothing(first: Any, last: Any, *, open_ends: int) -> bool:
    """Whether no value lies from `first` to `last` where ends may not count."""
    if isinstance(first, int):
        return bool(last - first < open_ends)
    return bool(open_ends and first == last)


def _broken(column: ColumnContract, value: Any) -> str | None:
    """The rule of `column` that `value` breaks."""
    text = value if isinstance(value, str) else None
    length = column.length
    broken = {
        "min": column.min is not None and value < column.min,
        "max": column.max is not None and value > column.max,
        "above": column.above is not None and value <= column.above,
        "below": column.below is not None and value >= column.below,
        "regex": text is not None and _never_matches(column.regex, text),
        "length": text is not None
        and length is not None
        and not (length.min or 0) <= len(text) <= (length.max or len(text)),
    }
    return next((rule for rule, is_broken in broken.items() if is_broken), None)


def _never_matches(pattern: str | None, text: str) -> bool:
    """Whether `text` does not contain `pattern`; False where only Rust can read the pattern."""
    if pattern is None:
        return False
    try:
        return re.search(pattern, text) is None
    except (re.error, RecursionError):
        return False


def _check_enough(document: Document, contract: Contract, column: ColumnContract) -> None:
    """A unique column needs as many values as there are rows."""
    values: tuple[Scalar, ...] | None = column.values
    if values is None and column.type == "bool":
        values = (True, False)
    strict = not column.nullable and not column.tolerance("unique")
    unique = column.unique or contract.key == (column.name,)
    if values is not None and unique and strict and len(values) < contract.min_rows:
        said = f"{len(values)} values cannot be unique in {contract.min_rows} rows or more"
        raise document.error(("columns", column.name), said)
