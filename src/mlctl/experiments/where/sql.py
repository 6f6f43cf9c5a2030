"""A filter as a condition in SQL over the tables of the index.

A run that lacks a field fulfils no test of it but `is null`; `not` turns any test around.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlctl.errors import InvalidInput
from mlctl.experiments.where.fields import FIXED, Field, UnknownField, find_field
from mlctl.experiments.where.parse import Node, Not, Several, Test, Value, parse
from mlctl.experiments.where.tokens import fail, tokens

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400,
          "y": 365 * 86400}  # fmt: skip
_TRUE, _FALSE = ("true", "yes"), ("false", "no")


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over the table `run`, and its arguments."""

    sql: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a filter stands on: the names of values, by number, and the time now (since 1970)."""

    names: dict[str, int]
    now: float = field(default=0.0)


def condition(text: str, known: Known) -> Condition:
    """What `text` asks. Raises InvalidInput that points at what is wrong in it."""
    return _Compiler(text, known).compile(parse(text))


def moment(text: str, now: float, option: str) -> float:
    """The time (since 1970) of a date, or of so long ago. Raises InvalidInput for neither."""
    word = tokens(text)[0]
    if word.kind not in ("date", "age") or word.text != text.strip():
        raise InvalidInput(f"{option}: {text!r} is no date and no age, such as 2026-11-01 or 90d")
    return _Compiler(text, Known({}, now)).moment(Value(word.kind, word.text, word.at))[0]


class _Compiler:
    def __init__(self, text: str, known: Known) -> None:
        self._text = text
        self._known = known

    def compile(self, node: Node) -> Condition:
        if isinstance(node, Not):
            inner = self.compile(node.of)
            return Condition(f"NOT coalesce({inner.sql}, 0)", inner.args)
        if isinstance(node, Several):
            each = [self.compile(it) for it in node.of]
            word = " OR " if node.either else " AND "
            args = tuple(arg for it in each for arg in it.args)
            return Condition(f"({word.join(it.sql for it in each)})", args)
        try:
            found = find_field(node.field, self._known.names)
        except UnknownField as error:
            fail(self._text, node.at, error.message, error.hint)
        return self._value_test(node, found) if found.kind == "value" else self._test(node, found)

    def _value_test(self, test: Test, found: Field) -> Condition:
        """A test of a parameter or a metric: of a number by its number, of a text by its text."""
        if test.what == "null":
            rows, args = self._rows(found, "text IS NOT 'null'", ())
            return Condition(f"run.number NOT IN ({rows})", args)
        inner = self._typed(test)
        rows, args = self._rows(found, inner.sql, inner.args)
        return Condition(f"run.number IN ({rows})", args)

    def _rows(self, found: Field, sql: str, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """The runs whose value, under the first of the names that they have, fulfils `sql`."""
        parts: list[str] = []
        all_args: list[Any] = []
        numbers = [self._known.names[name] for name in found.names if name in self._known.names]
        for place, number in enumerate(numbers):
            part = f"SELECT value.run FROM value WHERE value.name = ? AND ({sql})"
            all_args += [number, *args]
            for earlier in numbers[:place]:
                part += (
                    " AND NOT EXISTS (SELECT 1 FROM value AS other"
                    " WHERE other.name = ? AND other.run = value.run)"
                )
                all_args.append(earlier)
            parts.append(part)
        return " UNION ALL ".join(parts), tuple(all_args)

    def _typed(self, test: Test) -> Condition:
        match test.what:
            case "~":
                return Condition("coalesce(text, number) REGEXP ?", (test.values[0].text,))
            case "contains":
                return Condition("instr(text, ?) > 0", (test.values[0].text,))
            case "range":
                low, high = (self._number(value) for value in test.values)
                return Condition("number BETWEEN ? AND ?", (low, high))
            case "in":
                each = [self._one("=", value) for value in test.values]
                args = tuple(arg for it in each for arg in it.args)
                return Condition(f"({' OR '.join(it.sql for it in each)})", args)
        return self._one(test.what, test.values[0])

    def _one(self, sign: str, value: Value) -> Condition:
        if value.kind in ("number", "age"):
            if sign == "!=":
                return Condition("(number IS NULL OR number != ?)", (self._number(value),))
            return Condition(f"number {sign} ?", (self._number(value),))
        if sign == "!=":
            return Condition("(text IS NULL OR text != ?)", (value.text,))
        if sign == "=":
            return Condition("text = ?", (value.text,))
        return Condition(f"text {sign} ?", (value.text,))

    def _test(self, test: Test, found: Field) -> Condition:
        """A test of what is in a column."""
        column = found.column
        if test.what == "null":
            empty = f"{column} IN ('[]')" if found.kind == "list" else f"{column} IS NULL"
            return Condition(f"({empty})")
        if found.kind == "list":
            return self._list_test(test, column)
        if test.what == "~":
            return Condition(f"({column} REGEXP ?)", (test.values[0].text,))
        if test.what == "contains":
            return Condition(f"instr({column}, ?) > 0", (test.values[0].text,))
        convert = self._converter(found)
        if test.what == "range":
            low, high = convert(test.values[0])[0], convert(test.values[1])[1]
            return Condition(f"{column} BETWEEN ? AND ?", (low, high))
        if test.what == "in":
            each = [self._compared(column, "=", *convert(value)) for value in test.values]
            args = tuple(arg for it in each for arg in it.args)
            return Condition(f"({' OR '.join(it.sql for it in each)})", args)
        if column == FIXED["git.commit"][0] and test.what in ("=", "!=") and test.values[0].text:
            start = test.values[0].text
            return Condition(f"substr({column}, 1, ?) {test.what} ?", (len(start), start))
        return self._compared(column, test.what, *convert(test.values[0]))

    @staticmethod
    def _compared(column: str, sign: str, first: Any, last: Any) -> Condition:
        """A comparison with what is from `first` to `last`, as a day is."""
        if first == last:
            return Condition(f"{column} {sign} ?", (first,))
        match sign:
            case "=":
                return Condition(f"{column} BETWEEN ? AND ?", (first, last))
            case "!=":
                return Condition(f"{column} NOT BETWEEN ? AND ?", (first, last))
            case ">" | "<=":
                return Condition(f"{column} {sign} ?", (last,))
        return Condition(f"{column} {sign} ?", (first,))

    @staticmethod
    def _list_test(test: Test, column: str) -> Condition:
        """A list is equal to a value, or contains it, where that is one of its items."""
        each = f"SELECT 1 FROM json_each({column}) WHERE"
        if test.what == "~":
            return Condition(f"EXISTS ({each} value REGEXP ?)", (test.values[0].text,))
        if test.what in ("=", "contains", "in", "!="):
            marks = ", ".join("?" for _ in test.values)
            word = "NOT EXISTS" if test.what == "!=" else "EXISTS"
            texts = tuple(value.text for value in test.values)
            return Condition(f"{word} ({each} value IN ({marks}))", texts)
        return Condition(f"EXISTS ({each} value {test.what} ?)", (test.values[0].text,))

    def _converter(self, found: Field) -> Callable[[Value], tuple[Any, Any]]:
        def convert(value: Value) -> tuple[Any, Any]:
            match found.kind:
                case "number":
                    number = self._number(value)
                    return number, number
                case "flag":
                    flag = self._flag(value)
                    return flag, flag
                case "time":
                    return self.moment(value)
            return value.text, value.text

        return convert

    def _number(self, value: Value) -> float:
        if value.kind == "age":
            unit = value.text.lstrip("0123456789.")
            return float(value.text.removesuffix(unit)) * _UNITS[unit]
        try:
            return float(value.text)
        except ValueError:
            fail(self._text, value.at, f"a number is expected here, not {value.text!r}")

    def _flag(self, value: Value) -> int:
        if value.text.lower() not in (*_TRUE, *_FALSE):
            fail(self._text, value.at, f"`true` or `false` is expected here, not {value.text!r}")
        return int(value.text.lower() in _TRUE)

    def moment(self, value: Value) -> tuple[float, float]:
        """The first and the last moment of a date; an age is the moment so long ago."""
        if value.kind == "age":
            moment = self._known.now - self._number(value)
            return moment, moment
        try:
            start = datetime.fromisoformat(value.text)
        except ValueError:
            fail(
                self._text,
                value.at,
                f"a date or an age is expected here, not {value.text!r}",
                "a date is 2026-11-23 or 2026-11-23T09:00 (UTC), an age 7d, 12h or 2w",
            )
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
        whole_day = len(value.text) == len("2026-11-23")
        end = start + timedelta(days=1, microseconds=-1) if whole_day else start
        return start.timestamp(), end.timestamp()
