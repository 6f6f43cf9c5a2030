"""The contract of a data set as frozen data: `contracts/<dataset>.yaml`.

The format is described in docs/formats/contract.md.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, cast

from mlctl.data.contracts import expression
from mlctl.records.document import Document

SCHEMA = "mlctl.contract/1"
Kind = Literal["int", "float", "str", "bool", "date", "datetime", "any"]
Scalar = bool | int | float | str | date | datetime

_TOP = ("schema", "data", "description", "rows", "columns", "key", "checks", "strict")
_RULES = ("nullable", "unique", "min", "max", "in", "regex", "max_failing")
_COLUMN = ("type", "description", *_RULES)
_CHECK = ("expr", "description", "max_failing")
_KINDS: tuple[Kind, ...] = ("int", "float", "str", "bool", "date", "datetime", "any")
_ORDERED = ("int", "float", "date", "datetime")


@dataclass(frozen=True, slots=True)
class ColumnContract:
    """What one column promises; `max_failing` is the share (0 to 1) of rows that may break it."""

    name: str
    type: Kind
    nullable: bool = False
    unique: bool = False
    min: Scalar | None = None
    max: Scalar | None = None
    values: tuple[Scalar, ...] | None = None
    regex: str | None = None
    max_failing: float = 0.0


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A condition over several columns of a row; rows where it is unknown (null) pass."""

    text: str
    node: expression.Node
    max_failing: float = 0.0


@dataclass(frozen=True, slots=True)
class Contract:
    """A whole contract; `data` is a path from the repository's root."""

    name: str
    file: str
    data: str
    columns: tuple[ColumnContract, ...]
    min_rows: int = 0
    max_rows: int | None = None
    key: tuple[str, ...] = ()
    checks: tuple[CrossCheck, ...] = ()
    strict: bool = True


def parse(text: str, *, file: str, name: str) -> Contract:
    """The contract in `text`. Raises ConfigError with the YAML path and line of what is wrong."""
    document = Document.parse(text, file=file)
    document.check_schema("contract", 1)
    document.keys(known=_TOP)
    columns = _columns(document)
    known = {column.name for column in columns}
    document.keys("rows", known=("min", "max"))
    return Contract(
        name=name,
        file=file,
        data=_data_path(document),
        columns=columns,
        min_rows=document.whole("rows", "min", least=0) or 0,
        max_rows=document.whole("rows", "max", least=0),
        key=_key(document, known),
        checks=_checks(document, known),
        strict=document.flag("strict", default=True),
    )


def _data_path(document: Document) -> str:
    path = document.text("data")
    if path.startswith("/") or ".." in path.split("/") or "\\" in path:
        raise document.error(("data",), f"{path!r} is not a path inside of the repository")
    return path


def _key(document: Document, known: set[str]) -> tuple[str, ...]:
    names = document.items("key", of="columns")
    for index, name in enumerate(names):
        if name not in known:
            raise document.error(("key", index), f"{name!r} is not among the columns")
    return tuple(names)


def _checks(document: Document, known: set[str]) -> tuple[CrossCheck, ...]:
    found = []
    for index in range(len(document.items("checks", of="checks"))):
        document.keys("checks", index, known=_CHECK)
        path = ("checks", index, "expr")
        text = document.text(*path)
        try:
            node = expression.parse(text)
        except expression.ExpressionError as error:
            raise document.error(path, str(error)) from None
        missing = sorted(expression.columns(node) - known)
        if missing:
            raise document.error(path, f"{missing[0]!r} is not among the columns")
        found.append(CrossCheck(text, node, _max_failing(document, "checks", index)))
    return tuple(found)


def _max_failing(document: Document, *path: str | int) -> float:
    return document.share(*path, "max_failing") or 0.0


def _columns(document: Document) -> tuple[ColumnContract, ...]:
    columns = document.mapping("columns")
    if not columns:
        raise document.error(("columns",), "expected a mapping of columns to what they promise")
    for name in columns:
        path = ("columns", str(name))
        if not isinstance(name, str) or not name:
            raise document.error(path, f"{name!r} is not a text", hint="put it in quotes")
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            hint = "rename the column"
            raise document.error(path, "Polars reads this name as a pattern", hint=hint)
    return tuple(_column(document, name) for name in columns)


def _column(document: Document, name: str) -> ColumnContract:
    path = ("columns", name)
    document.keys(*path, known=_COLUMN)
    kind = cast("Kind", document.one_of(*path, "type", known=_KINDS))
    low, high = (_bound(document, kind, *path, bound) for bound in ("min", "max"))
    if low is not None and high is not None and cast("float", low) > cast("float", high):
        raise document.error((*path, "min"), f"min {low} is greater than max {high}")
    return ColumnContract(
        name=name,
        type=kind,
        nullable=document.flag(*path, "nullable", default=False),
        unique=document.flag(*path, "unique", default=False),
        min=low,
        max=high,
        values=_values(document, kind, *path, "in"),
        regex=_regex(document, kind, *path, "regex"),
        max_failing=_max_failing(document, *path),
    )


def _bound(document: Document, kind: Kind, *path: str) -> Scalar | None:
    if document.get(*path) is None:
        return None
    if kind not in _ORDERED:
        raise document.error(path, f"a column of type {kind} has no {path[-1]}")
    return _value(document, kind, *path)


def _values(document: Document, kind: Kind, *path: str) -> tuple[Scalar, ...] | None:
    if document.get(*path) is None:
        return None
    values = document.items(*path, of="values")
    if not values:
        raise document.error(path, "expected a list of values, got an empty one")
    return tuple(_value(document, kind, *path, index) for index in range(len(values)))


def _regex(document: Document, kind: Kind, *path: str) -> str | None:
    if document.get(*path) is None:
        return None
    if kind != "str":
        raise document.error(path, f"a column of type {kind} has no regex")
    pattern = document.text(*path)
    try:
        re.compile(pattern)
    except re.error as error:
        raise document.error(path, f"not a regular expression: {error}") from None
    return pattern


def _value(document: Document, kind: Kind, *path: str | int) -> Scalar:
    """The value at `path` as the column's type, so that like is compared with like."""
    value = document.get(*path)
    match kind, value:
        case "bool", bool():
            return value
        case (("int" | "float"), bool()):
            pass
        case "int", int() if -(2**63) <= value < 2**63:
            return value
        case "float", int() | float() if not math.isnan(value):
            return float(value)
        case "str", str():
            return value
        case "datetime", datetime():
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        case "datetime", date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001
        case "date", date() if not isinstance(value, datetime):
            return value
    raise document.error(path, f"{value!r} is not a value of type {kind}")
