"""pandera's checks and types as the rules of a contract. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlctl.data.contracts.model import Kind
from mlctl.data.contracts.render import scalar

_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"u?int(eger)?\d*", "int"),
    (r"(float|double|decimal|number)\d*(\(.*\))?", "float"),
    (r"(str|string|utf8|category|categorical|enum|object)(\W.*)?", "str"),
    (r"bool(ean)?_?", "bool"),
    (r"date(32|64)?", "date"),
    (r"(datetime|timestamp).*", "datetime"),
)
_RESERVED = {
    "title", "description", "dtype", "nullable", "checks", "name", "unique", "coerce", "required",
    "regex", "default", "report_duplicates", "drop_invalid_rows", "alias",
}  # fmt: skip
_OPTIONS = {"check_name", "ignore_na", "raise_warning", "n_failure_cases", "groupby", "groups",
            "error", "name"}  # fmt: skip
_SHORT = {
    "ge": "greater_than_or_equal_to", "le": "less_than_or_equal_to", "gt": "greater_than",
    "lt": "less_than", "eq": "equal_to", "ne": "not_equal_to", "between": "in_range",
}  # fmt: skip
_BOUNDS = {
    "greater_than_or_equal_to": "min", "less_than_or_equal_to": "max", "greater_than": "above",
    "less_than": "below",
}  # fmt: skip

Check = tuple[str, Any, Mapping[str, Any]]  # its name, its value or arguments, its options


def kind_of(column: Mapping[str, Any]) -> tuple[Kind, str | None]:
    """The kind of a column's dtype, and what is to be said about it."""
    dtype = column.get("dtype")
    if dtype is None:
        return "any", None
    text = str(dtype)
    found = next((kind for form, kind in _KINDS if re.fullmatch(form, text.lower())), None)
    if found is None:
        return "any", f"dtype {text}: not checked"
    loose = re.match(r"(?i)object|category|categorical|enum", text)
    return found, f"dtype {text}: read as {found}" if loose else None


def named_checks(component: Mapping[str, Any], *, known_only: bool = True) -> Iterator[Check]:
    """The checks of a column, in each of the forms that pandera wrote: flat, mapping and list.

    Those of a whole schema (not `known_only`) stand under `checks` only.
    """
    given = component.get("checks")
    if isinstance(given, list):
        for one in given:
            one = dict(one) if isinstance(one, Mapping) else {"value": one}
            options = one.pop("options", None) or {}
            name = str(options.get("check_name"))
            yield name, _bare(name, one), options
        return
    flat = {k: v for k, v in component.items() if k not in _RESERVED} if known_only else {}
    for name, value in (given if isinstance(given, Mapping) else flat).items():
        if not isinstance(value, Mapping):
            yield str(name), value, {}
            continue
        options = dict(value.get("options") or {})
        options |= {k: v for k, v in value.items() if k in _OPTIONS}
        rest = {k: v for k, v in value.items() if k not in {*_OPTIONS, "options"}}
        yield str(name), _bare(str(name), rest), options


def _bare(check: str, arguments: Mapping[str, Any]) -> Any:
    """The value of a check with one argument, else all of its arguments."""
    if len(arguments) == 1 and ("value" in arguments or check not in {"str_length", "in_range"}):
        return next(iter(arguments.values()))
    return dict(arguments)


@dataclass(slots=True)
class Column:
    """The rules of a column in the making, in a contract's words."""

    name: str
    kind: Kind
    rules: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(
        self, check: str, value: Any, options: Mapping[str, Any], tolerances: Mapping[str, Any]
    ) -> None:
        """Take in a check, or say why not; `tolerances` are shares of rows that we know of."""
        name = _SHORT.get(check, check)
        before = dict(self.rules), list(self.checks)
        try:
            taken = self._take(name, value)
        except (TypeError, ValueError, KeyError):
            taken = False
        if not taken:
            self.left.append(f"{check} {value!r} has no counterpart")
            return
        new = [rule for rule in self.rules if self.rules[rule] != before[0].get(rule)]
        may_fail = bool(new) and all(tolerances.get(r, tolerances.get("", 0)) for r in new)
        if options.get("raise_warning") and not may_fail:
            self.rules, self.checks = before
            self.left.append(f"{check} {value!r} only warns in pandera: left out")
        elif options.get("error") is not None:
            self.left.append(f"{check}: its message {options['error']!r}")
        if options.get("ignore_na") is False:
            self.left.append(f"{check}: missing values pass it here")

    def _take(self, name: str, value: Any) -> bool:
        match name:
            case "isin":
                self.rules["in"] = [self._value(one) for one in value]
            case "equal_to":
                self.rules["in"] = [self._value(value)]
            case "notin" | "not_equal_to":
                values = value if name == "notin" else [value]
                return self._never([self._value(one) for one in values])
            case "in_range" | "between":
                return self._in_range(**value)
            case "str_length":
                return self._length(value)
            case "str_contains":
                return self._pattern(str(value))
            case "str_matches":
                return self._pattern(f"^(?:{value})")
            case "str_startswith":
                return self._pattern(f"^{_escaped(str(value))}")
            case "str_endswith":
                return self._pattern(f"{_escaped(str(value))}$")
            case _ if name in _BOUNDS:
                self._bound(_BOUNDS[name], value)
            case _:
                return False
        return True

    def _bound(self, rule: str, value: Any) -> None:
        """The bound as one of the column's type; the closer one where there are two."""
        bound = self._value(value)
        if self.kind == "int" and isinstance(bound, float):
            is_low = rule in {"min", "above"}
            if not math.isfinite(bound):
                return
            if not bound.is_integer():
                rule = "min" if is_low else "max"
            bound = math.ceil(bound) if is_low else math.floor(bound)
        known = self.rules.get(rule)
        closer = max if rule in {"min", "above"} else min
        self.rules[rule] = bound if known is None else closer(known, bound)

    def _in_range(
        self, min_value: Any, max_value: Any, *, include_min: bool = True, include_max: bool = True
    ) -> bool:
        self._bound("min" if include_min else "above", min_value)
        self._bound("max" if include_max else "below", max_value)
        return True

    def _length(self, value: Any) -> bool:
        ends = dict(value) if isinstance(value, Mapping) else {"exact_value": value}
        exact = ends.get("exact_value")
        low, high = (exact, exact) if exact is not None else (ends.get("min_value"),) * 2
        if exact is None:
            high = ends.get("max_value")
        self.rules["length"] = {
            key: int(end) for key, end in (("min", low), ("max", high)) if end is not None
        }
        return True

    def _pattern(self, pattern: str) -> bool:
        if "regex" in self.rules:
            return False
        self.rules["regex"] = pattern
        return True

    def _never(self, values: list[Any]) -> bool:
        """A condition, since a column has no such rule."""
        if "`" in self.name or not all(_can_be_written(value) for value in values):
            return False
        listed = ", ".join(_written(value) for value in values)
        self.checks.append({"expr": f"`{self.name}` not in [{listed}]"})
        return True

    def _value(self, value: Any) -> Any:
        """`value` as the column's type: texts of moments are read."""
        if self.kind == "datetime" and isinstance(value, str):
            return datetime.fromisoformat(value)
        if self.kind == "date" and isinstance(value, str | datetime):
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
            return moment.date()
        if self.kind == "int" and isinstance(value, float) and value.is_integer():
            return int(value)
        return value


def _escaped(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _can_be_written(value: Any) -> bool:
    """Whether the language of conditions has such a constant in its lists."""
    if isinstance(value, str):
        return '"' not in value or "'" not in value
    return isinstance(value, int | float) and math.isfinite(value)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"' if '"' not in value else f"'{value}'"
    return scalar(value)
