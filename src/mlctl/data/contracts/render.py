"""A contract as the YAML text that people read and edit. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from mlctl.data.contracts import span
from mlctl.data.contracts.checkrules import sections
from mlctl.data.contracts.model import (
    SCHEMA,
    ColumnContract,
    Contract,
    CrossCheck,
    ImagesContract,
    Range,
    Scalar,
)

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*", re.ASCII)
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def to_yaml(
    contract: Contract, notes: Mapping[str, str] | None = None, *, example: bool = False
) -> str:
    """The text of a contract, which reads back as an equal one.

    `notes` are comments: one for each column that it names, and under the empty name the lines that
    the file opens with. `example` adds a comment that shows a check.
    """
    said = notes or {}
    lines = [f"# {line}" for line in said.get("", "").splitlines()]
    lines += [f"schema: {SCHEMA}", f"data: {scalar(contract.data)}"]
    if contract.description is not None:
        lines.append(f"description: {scalar(contract.description)}")
    if contract.images is not None:
        return "\n".join([*lines, *_images(contract.images)]) + "\n"
    rows = Range(contract.min_rows or None, contract.max_rows)
    if rows != Range():
        lines.append(f"rows: {_range(rows)}")
    if contract.key:
        lines.append(f"key: {_listed(contract.key)}")
    if contract.label is not None:
        lines.append(f"label: {scalar(contract.label)}")
    if contract.freshness is not None:
        column, age = scalar(contract.freshness.column), span.text(contract.freshness.max_age)
        lines.append(f"freshness: {{column: {column}, max_age: {age}}}")
    for name, section in sections(contract).items():
        if isinstance(section, Mapping):
            lines += [f"{name}:", *(f"  {scalar(k)}: {_flow(v)}" for k, v in section.items())]
        else:
            lines.append(f"{name}: {scalar(section)}")
    strict = "true  # a column that is not listed here is an error" if contract.strict else "false"
    lines += [f"strict: {strict}", "columns:"]
    lines += [column_line(column, said.get(column.name)) for column in contract.columns]
    lines += _checks(contract.checks)
    if example and not contract.checks:
        lines += ["# Conditions over several columns, for example:", "# checks:"]
        lines += ['#   - expr: "start <= end"']
    return "\n".join(lines) + "\n"


def column_line(column: ColumnContract, note: str | None = None) -> str:
    """The line of a column, with `note` as its comment."""
    promises = ", ".join(f"{key}: {value}" for key, value in promises_of(column).items())
    return f"  {scalar(column.name)}: {{{promises}}}{comment(note)}"


def comment(note: str | None) -> str:
    """`note` at the end of a line, on that line whatever it holds."""
    if not note:
        return ""
    return "  # " + "".join(c if c.isprintable() else " " for c in note)


def promises_of(column: ColumnContract) -> dict[str, str]:
    """What a column says, as text for each key of its mapping, without defaults."""
    found: dict[str, str] = {"type": column.type}
    if column.personal:
        found["personal"] = "true"
    if column.nullable and column.max_missing is None:
        found["nullable"] = "true"
    if column.max_missing is not None:
        found["max_missing"] = scalar(column.max_missing)
        if not column.nullable:
            found["nullable"] = "false"
    tolerances = dict(column.tolerances)
    if column.unique or "unique" in tolerances:
        found["unique"] = _rule("true" if column.unique else "false", tolerances.get("unique"))
    for name, bound in _bounds(column):
        found[name] = _rule(scalar(bound), tolerances.get(name))
    if column.values is not None:
        found["in"] = _rule(_listed(column.values), tolerances.get("in"))
    if column.regex is not None:
        found["regex"] = _rule(scalar(column.regex), tolerances.get("regex"))
    if column.length is not None:
        found["length"] = _range(column.length, tolerances.get("length"))
    if column.max_failing:
        found["max_failing"] = scalar(column.max_failing)
    if column.description is not None:
        found["description"] = scalar(column.description)
    return found


def scalar(value: Scalar) -> str:
    """`value` in YAML 1.2, text quoted where another reader could take it for something else."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case datetime() | date():
            return value.isoformat()
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _bounds(column: ColumnContract) -> Iterable[tuple[str, Scalar]]:
    names = ("min", "max", "above", "below")
    bounds = (column.min, column.max, column.above, column.below)
    return [(n, bound) for n, bound in zip(names, bounds, strict=True) if bound is not None]


def _rule(value: str, tolerance: float | None) -> str:
    if tolerance is None:
        return value
    return f"{{value: {value}, max_failing: {scalar(tolerance)}}}"


def _range(ends: Range, tolerance: float | None = None) -> str:
    said: dict[str, Any] = {"min": ends.min, "max": ends.max, "max_failing": tolerance}
    return _mapping({key: scalar(value) for key, value in said.items() if value is not None})


def _mapping(items: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{scalar(key)}: {value}" for key, value in items.items()) + "}"


def _listed(values: Iterable[Scalar]) -> str:
    return f"[{', '.join(map(scalar, values))}]"


def _checks(checks: tuple[CrossCheck, ...]) -> list[str]:
    lines = ["checks:"] if checks else []
    for check in checks:
        lines.append(f"  - expr: {scalar(check.text)}")
        if check.max_failing:
            lines.append(f"    max_failing: {scalar(check.max_failing)}")
        if check.description is not None:
            lines.append(f"    description: {scalar(check.description)}")
    return lines


def _flow(value: Any) -> str:
    """A mapping, a list or a scalar on one line."""
    if isinstance(value, Mapping):
        return _mapping({key: _flow(item) for key, item in value.items()})
    return _listed(value) if isinstance(value, list) else scalar(value)


def _images(images: ImagesContract) -> list[str]:
    lines = []
    for name in ("count", "per_folder", "width", "height"):
        ends: Range = getattr(images, name)
        if ends != Range():
            lines.append(f"  {name}: {_range(ends)}")
    for name in ("folders", "formats", "modes"):
        words = getattr(images, name)
        if words is not None:
            lines.append(f"  {name}: {_listed(words)}")
    if images.max_bytes is not None:
        lines.append(f"  max_bytes: {images.max_bytes}")
    if images.max_failing:
        lines.append(f"  max_failing: {scalar(images.max_failing)}")
    return ["images:", *lines] if lines else ["images: {}"]


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    mantissa, e, exponent = repr(value).partition("e")
    # YAML 1.1 readers want a point in a number with an exponent.
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08X}"
