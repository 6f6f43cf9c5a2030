"""A contract that new data breaks, widened just so far that the data keeps it. Pure.

Only what is broken changes, and only where the data may well be right: a range, a list of values,
missing values, the number of rows, a new column. A broken key, pattern or condition, values of
another type and a lost column are reported instead: there, the data is more likely at fault.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mlctl.data.contracts.editing import Editor
from mlctl.data.contracts.facts import Facts
from mlctl.data.contracts.infer import describe, leading_digit, room_for_missing
from mlctl.data.contracts.model import ColumnContract, Contract, Kind
from mlctl.data.contracts.ranges import outwards
from mlctl.data.contracts.render import column_line, comment, promises_of, scalar
from mlctl.data.contracts.said import shown

_WIDER: dict[Kind, Kind] = {"int": "float", "date": "datetime"}
_MOST_NEW = 20  # values added to a list at once


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that the data breaks: the check's first word, its column (empty for the table)."""

    column: str
    rule: str
    check: str


@dataclass(frozen=True, slots=True)
class Change:
    """What was widened, in words."""

    column: str
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Widened:
    """The new text, what changed in it, and what is broken and was left."""

    text: str
    changes: tuple[Change, ...] = ()
    left: tuple[Change, ...] = ()


def widen(
    text: str, contract: Contract, facts: Mapping[str, Facts], broken: Iterable[Broken], rows: int
) -> Widened:
    """The `text` of `contract`, edited so that the data (`facts`, `rows`) keeps what it can.

    Raises CannotEdit where the file is written in a way that cannot be edited.
    """
    editor = Editor(text)
    changes: list[Change] = []
    left: list[Change] = []
    for item in broken:
        column, found = contract.column(item.column), facts.get(item.column)
        why: str | None = None
        if item.rule == "rows":
            why = _rows(editor, item, rows)
        elif item.check == "column not in the contract" and found is not None:
            why = _add(editor, found)
        elif column is not None and found is not None:
            why = _column(editor, contract, column, found, item)
        change = Change(item.column, item.check, why or _LEFT.get(item.rule, "decide yourself"))
        (left if why is None else changes).append(change)
    return Widened(editor.text(), tuple(changes), tuple(left))


_LEFT = {
    "column": "the column is gone: restore it, or take it out of the contract",
    "type": "the values do not read as the type: mend the data, or change the type",
    "key": "a key is missing or stands there twice: mend the data, or choose another key",
    "unique": "an id stands there twice: mend the data, or say `unique: false`",
    "not": "a part of the key is missing",
    "regex": "values do not match: mend the data, or the pattern",
    "expr:": "rows break the condition: mend the data, or the condition",
    "freshness": "the data is old: get newer data",
    "in": "many other values: mend the data, or take the list out",
}


def _rows(editor: Editor, item: Broken, rows: int) -> str:
    if item.check.startswith("rows min"):
        value = leading_digit(rows // 2)
        editor.set(("rows", "min"), str(value))
    else:
        value = int(outwards(rows * 1.5, math.ceil))
        editor.set(("rows", "max"), str(value))
    return f"{rows} rows: now {value}"


def _add(editor: Editor, facts: Facts) -> str:
    said = describe(facts)
    promises = ", ".join(f"{key}: {value}" for key, value in promises_of(said.column).items())
    note = comment(f"new: {said.note}")
    editor.insert(("columns",), scalar(facts.name), f"{{{promises}}}", note=note)
    return f"a new column: {column_line(said.column).strip()}"


def _column(
    editor: Editor, contract: Contract, column: ColumnContract, facts: Facts, item: Broken
) -> str | None:
    """What was widened, in words; None where nothing was."""
    path = ("columns", column.name)
    match item.rule:
        case "type":
            if _WIDER.get(column.type) != facts.kind:
                return None
            editor.set((*path, "type"), facts.kind)
            return f"{column.type} is now {facts.kind}"
        case "not" | "max_missing":
            return _missing(editor, contract, column, facts)
        case "unique":
            if contract.key == (column.name,) or column.name in contract.key:
                return None
            editor.set(_at(column, "unique"), "false")
            return "values repeat: no longer unique"
        case "in":
            return _values(editor, column, facts)
        case "length":
            return _length(editor, column, facts)
        case "min" | "max" | "above" | "below":
            bound = _bound(column, facts, item.rule)
            if bound is None:
                return None
            editor.set(_at(column, item.rule), scalar(bound))
            return f"{getattr(column, item.rule)} is now {bound}"
    return None


def _at(column: ColumnContract, rule: str) -> tuple[str, ...]:
    path = ("columns", column.name, rule)
    return (*path, "value") if rule in dict(column.tolerances) else path


def _missing(
    editor: Editor, contract: Contract, column: ColumnContract, facts: Facts
) -> str | None:
    if column.name in contract.key:
        return None
    share = facts.missing / facts.rows
    path = ("columns", column.name)
    if column.max_missing is None:
        editor.set((*path, "nullable"), "true")
        return f"{share:.2%} missing: now nullable"
    most = room_for_missing(share) or 1.0
    editor.set((*path, "max_missing"), scalar(most))
    if not column.nullable:
        editor.set((*path, "nullable"), "true")
    return f"{share:.2%} missing: {column.max_missing:g} is now {most:g}"


def _values(editor: Editor, column: ColumnContract, facts: Facts) -> str | None:
    listed = set(column.values or ())
    new = {value: n for value, n in (facts.values or {}).items() if value not in listed}
    if not 0 < len(new) <= _MOST_NEW or column.personal:
        return None
    editor.append(_at(column, "in"), [scalar(_as(column.type, value)) for value in new])
    return "new: " + ", ".join(f"{shown(value)} ({count} rows)" for value, count in new.items())


def _length(editor: Editor, column: ColumnContract, facts: Facts) -> str | None:
    length = column.length
    lengths: list[int] = facts.sample.str.len_chars().to_list()
    if length is None or not lengths:
        return None
    low, high = min(lengths), max(lengths)
    path = ("columns", column.name, "length")
    said = []
    if length.min is not None and low < length.min:
        editor.set((*path, "min"), str(low))
        said.append(f"min {length.min} is now {low}")
    if length.max is not None and high > length.max:
        editor.set((*path, "max"), str(high))
        said.append(f"max {length.max} is now {high}")
    return ", ".join(said) or None


def _bound(column: ColumnContract, facts: Facts, rule: str) -> Any:
    """A bound for `rule` that the data keeps, with room: as inferred, or by half the width.

    None where there is none: infinity is more likely a fault.
    """
    is_low = rule in {"min", "above"}
    extreme: Any = facts.low if is_low else facts.high
    if isinstance(extreme, float) and not math.isfinite(extreme):
        return None
    guessed: Any = describe(facts).column.min if is_low else describe(facts).column.max
    strict = rule in {"above", "below"}
    if guessed is not None and (guessed != extreme or not strict):
        return _as(column.type, guessed)
    if isinstance(extreme, date):
        room = timedelta(days=max(1, (facts.high - facts.low).days // 2))
        return extreme - room if is_low else extreme + room
    width = float(facts.high) - float(facts.low) or abs(float(extreme)) or 1.0
    towards = math.floor if is_low else math.ceil
    bound = outwards(extreme - width / 2 if is_low else extreme + width / 2, towards)
    if not strict and is_low == (extreme >= 0):  # what had one sign so far keeps it
        bound = max(bound, 0.0) if is_low else min(bound, 0.0)
    return _as(column.type, bound if math.isfinite(bound) else extreme)


def _as(kind: Kind, value: Any) -> Any:
    return int(value) if kind == "int" else float(value) if kind == "float" else value
