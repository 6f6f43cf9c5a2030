"""The contract of a data set as frozen data: `contracts/<dataset>.yaml`.

The format is described in docs/formats/contract.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, NoReturn, cast

from mlctl.adapters import yaml
from mlctl.data.contracts import expression
from mlctl.errors import ConfigError

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
    source = _Source(text, file)
    top = source.mapping(yaml.load(text, name=file), (), _TOP)
    if top.get("schema") != SCHEMA:
        source.fail(
            f"schema is {top.get('schema')!r}, and this mlctl reads {SCHEMA!r}",
            "schema",
            hint="a newer mlctl may have written it",
        )
    columns = _columns(source, top.get("columns"))
    known = {column.name for column in columns}
    rows = source.mapping(top.get("rows") or {}, ("rows",), ("min", "max"))
    return Contract(
        name=name,
        file=file,
        data=_data_path(source, top.get("data")),
        columns=columns,
        min_rows=_count(source, rows.get("min", 0), "min"),
        max_rows=_count(source, rows["max"], "max") if "max" in rows else None,
        key=_key(source, top.get("key"), known),
        checks=_checks(source, top.get("checks"), known),
        strict=source.flag(top, "strict", default=True),
    )


class _Source:
    """The file being read: shape checks, each of which names its place."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def fail(self, message: str, *path: str | int, hint: str | None = None) -> NoReturn:
        where = ".".join(map(str, path)) or None
        line = yaml.line_of(self._text, path)
        raise ConfigError(message, file=self._file, where=where, line=line, hint=hint) from None

    def mapping(
        self, value: Any, path: tuple[str | int, ...], known: Sequence[str]
    ) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail("expected a mapping", *path)
        for key in value:
            if key not in known:
                self.fail("no such setting", *path, str(key), hint=f"known: {', '.join(known)}")
        return value

    def flag(self, mapping: Mapping[str, Any], key: str, *path: str, default: bool = False) -> bool:
        value = mapping.get(key, default)
        if not isinstance(value, bool):
            self.fail(f"expected true or false, not {value!r}", *path, key)
        return value

    def share(self, mapping: Mapping[str, Any], *path: str | int) -> float:
        value = mapping.get("max_failing", 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self.fail(f"expected a share from 0 to 1, not {value!r}", *path, "max_failing")
        return float(value)


def _data_path(source: _Source, value: Any) -> str:
    if not isinstance(value, str) or not value:
        source.fail("expected the path of the data file", "data")
    parts = value.split("/")
    if value.startswith("/") or ".." in parts or "\\" in value:
        source.fail(f"{value!r} is not a path inside of the repository", "data")
    return value


def _count(source: _Source, value: Any, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        source.fail(f"expected a number of rows, not {value!r}", "rows", key)
    return value


def _key(source: _Source, value: Any, known: set[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        source.fail("expected a list of columns", "key")
    for index, name in enumerate(value):
        if name not in known:
            source.fail(f"{name!r} is not among the columns", "key", index)
    return tuple(value)


def _checks(source: _Source, value: Any, known: set[str]) -> tuple[CrossCheck, ...]:
    if value is not None and not isinstance(value, list):
        source.fail("expected a list of checks", "checks")
    found = []
    for index, item in enumerate(value or []):
        check = source.mapping(item, ("checks", index), _CHECK)
        text = check.get("expr")
        if not isinstance(text, str):
            source.fail("expected an expression in quotes", "checks", index, "expr")
        try:
            node = expression.parse(text)
        except expression.ExpressionError as error:
            source.fail(str(error), "checks", index, "expr")
        missing = sorted(expression.columns(node) - known)
        if missing:
            source.fail(f"{missing[0]!r} is not among the columns", "checks", index, "expr")
        found.append(CrossCheck(text, node, source.share(check, "checks", index)))
    return tuple(found)


def _columns(source: _Source, value: Any) -> tuple[ColumnContract, ...]:
    if not isinstance(value, Mapping) or not value:
        source.fail("expected a mapping from column names to what they promise", "columns")
    for name in value:
        if not isinstance(name, str) or not name:
            source.fail(f"{name!r} is not a text; put it in quotes", "columns", str(name))
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            source.fail("Polars reads this name as a pattern; rename the column", "columns", name)
    return tuple(_column(source, name, item) for name, item in value.items())


def _column(source: _Source, name: str, value: Any) -> ColumnContract:
    path = ("columns", name)
    item = source.mapping(value, path, _COLUMN)
    kind = item.get("type")
    if kind not in _KINDS:
        source.fail(f"type is {kind!r}", *path, "type", hint=f"one of {', '.join(_KINDS)}")
    for bound in ("min", "max"):
        if bound in item and kind not in _ORDERED:
            source.fail(f"a column of type {kind} has no {bound}", *path, bound)
    low = _value(source, kind, item["min"], *path, "min") if "min" in item else None
    high = _value(source, kind, item["max"], *path, "max") if "max" in item else None
    if low is not None and high is not None and cast("float", low) > cast("float", high):
        source.fail(f"min {low} is greater than max {high}", *path, "min")
    return ColumnContract(
        name=name,
        type=kind,
        nullable=source.flag(item, "nullable", *path),
        unique=source.flag(item, "unique", *path),
        min=low,
        max=high,
        values=_values(source, kind, item["in"], path) if "in" in item else None,
        regex=_regex(source, kind, item["regex"], path) if "regex" in item else None,
        max_failing=source.share(item, *path),
    )


def _values(source: _Source, kind: Kind, value: Any, path: tuple[str, str]) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or not value:
        source.fail("expected a list of values", *path, "in")
    return tuple(_value(source, kind, item, *path, "in", i) for i, item in enumerate(value))


def _regex(source: _Source, kind: Kind, value: Any, path: tuple[str, str]) -> str:
    if kind != "str":
        source.fail(f"a column of type {kind} has no regex", *path, "regex")
    if not isinstance(value, str):
        source.fail("expected a regular expression", *path, "regex")
    try:
        re.compile(value)
    except re.error as error:
        source.fail(f"not a regular expression: {error}", *path, "regex")
    return value


def _value(source: _Source, kind: Kind, value: Any, *path: str | int) -> Scalar:
    """`value` as the column's type, so that comparisons are between like and like."""
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
    return source.fail(f"{value!r} is not a value of type {kind}", *path)
