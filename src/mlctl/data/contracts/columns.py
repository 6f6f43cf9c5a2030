"""Reading what a contract says about its columns. Pure."""

from __future__ import annotations

import math
import re
import sys
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

from mlctl.data.contracts.model import (
    KINDS,
    ORDERED,
    TOLERANT,
    ColumnContract,
    Kind,
    Range,
    Scalar,
)
from mlctl.records.document import Document

Path = tuple[str | int, ...]

_KEYS = (
    "type", "description", "personal", "nullable", "max_missing", *TOLERANT, "max_failing",
)  # fmt: skip
_LARGEST = sys.float_info.max
# What Python's syntax has and Rust's has not, outside of escapes and classes of characters.
_LOOK_AROUND = re.compile(r"\(\?(?:<?[=!]|>|\(|P[=>])|\\[1-9]")
_ESCAPES_AND_CLASSES = re.compile(r"\\[^1-9]|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
# Python's complaints that are Rust's too; it knows more escapes and flags (\p{L}, \z, x(?i)y).
_FAULTS = (
    "unterminated", "missing )", "unbalanced", "nothing to repeat", "bad character range",
)  # fmt: skip


def read_columns(document: Document) -> tuple[ColumnContract, ...]:
    """The columns of the contract. Raises ConfigError for what is at fault in one of them."""
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


def read_range(document: Document, *path: str | int, more: tuple[str, ...] = ()) -> Range:
    """The mapping `{min, max}` at `path`, whole numbers from 0; empty where there is none."""
    document.keys(*path, known=("min", "max", *more))
    low, high = (document.whole(*path, end, least=0) for end in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise document.error((*path, "min"), f"min {low} is greater than max {high}")
    return Range(low, high)


def _column(document: Document, name: str) -> ColumnContract:
    path = ("columns", name)
    document.keys(*path, known=_KEYS)
    rules = _Rules(document, path, cast("Kind", document.one_of(*path, "type", known=KINDS)))
    max_missing = document.share(*path, "max_missing")
    nullable = document.flag(*path, "nullable", default=max_missing is not None)
    return ColumnContract(
        name=name,
        type=rules.kind,
        nullable=nullable,
        unique=document.flag(*rules.at("unique"), default=False),
        min=rules.bound("min"),
        max=rules.bound("max"),
        values=rules.values(),
        regex=rules.regex(),
        max_failing=document.share(*path, "max_failing") or 0.0,
        above=rules.bound("above"),
        below=rules.bound("below"),
        length=rules.length(),
        max_missing=max_missing,
        personal=document.flag(*path, "personal", default=False),
        description=_description(document, path),
        tolerances=rules.tolerances(),
    )


def _description(document: Document, path: Path) -> str | None:
    where = (*path, "description")
    return None if document.get(*where) is None else document.text(*where)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of the column at `path`; each stands bare or as `{value, max_failing}`."""

    document: Document
    path: Path
    kind: Kind

    def at(self, rule: str) -> Path:
        """Where the value of `rule` stands."""
        path = (*self.path, rule)
        if not isinstance(self.document.get(*path), dict):
            return path
        self.document.keys(*path, known=("value", "max_failing"))
        if self.document.get(*path, "value") is None:
            raise self.document.error(path, "says no `value`")
        return (*path, "value")

    def tolerances(self) -> tuple[tuple[str, float], ...]:
        found = []
        for rule in TOLERANT:
            if isinstance(self.document.get(*self.path, rule), dict):
                share = self.document.share(*self.path, rule, "max_failing")
                found += [] if share is None else [(rule, share)]
        return tuple(found)

    def bound(self, rule: str) -> Scalar | None:
        path = self.at(rule)
        if self.document.get(*path) is None:
            return None
        if self.kind not in ORDERED:
            raise self.document.error(path, f"a column of type {self.kind} has no {rule}")
        return value_at(self.document, self.kind, *path)

    def values(self) -> tuple[Scalar, ...] | None:
        path = self.at("in")
        if self.document.get(*path) is None:
            return None
        if self.kind == "any":
            raise self.document.error(path, "a column of type any has no values to choose from")
        count = len(self.document.items(*path, of="values"))
        if not count:
            raise self.document.error(path, "expected a list of values, got an empty one")
        return tuple(value_at(self.document, self.kind, *path, i) for i in range(count))

    def regex(self) -> str | None:
        path = self.at("regex")
        if self.document.get(*path) is None:
            return None
        self._text_only(path, "regex")
        pattern = self.document.text(*path)
        if fault := _regex_fault(pattern):
            raise self.document.error(path, fault)
        return pattern

    def length(self) -> Range | None:
        path = (*self.path, "length")
        if self.document.get(*path) is None:
            return None
        self._text_only(path, "length")
        found = read_range(self.document, *path, more=("max_failing",))
        if found == Range():
            raise self.document.error(path, "expected {min, max}, or one of them")
        return found

    def _text_only(self, path: Path, rule: str) -> None:
        if self.kind != "str":
            raise self.document.error(path, f"a column of type {self.kind} has no {rule}")


def _regex_fault(pattern: str) -> str | None:
    """What is wrong with `pattern`, as far as it can be told without Rust's own reader."""
    if _LOOK_AROUND.search(_ESCAPES_AND_CLASSES.sub("", pattern)):
        return "not a regular expression: Rust's syntax has no look-around and no references"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        if str(error).startswith(_FAULTS):
            return f"not a regular expression: {error}"
    except RecursionError:
        return "not a regular expression: nested too deeply"
    return None


def value_at(document: Document, kind: Kind, *path: str | int) -> Scalar:
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
            if abs(value) <= _LARGEST or math.isinf(value):
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
