"""A contract as the YAML text that people read and edit."""

from __future__ import annotations

import math
import re
from datetime import date, datetime

from mlctl.data.contracts.contract import SCHEMA, ColumnContract, Scalar
from mlctl.data.contracts.infer import Inferred

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def to_yaml(inferred: Inferred) -> str:
    """The text of an inferred contract, with a comment on each column and on what to do next."""
    contract = inferred.contract
    lines = [
        "# What this data promises, for `mlctl validate`. Edit it to what you know to be true.",
        "# The ranges were read from the data, then widened and rounded.",
        f"schema: {SCHEMA}",
        f"data: {scalar(contract.data)}",
        f"rows: {{min: {contract.min_rows}}}",
    ]
    if contract.key:
        lines.append(f"key: [{', '.join(map(scalar, contract.key))}]")
    lines += [
        "strict: true  # a column that is not listed here is an error",
        "columns:",
    ]
    for column in contract.columns:
        note = "".join(c if c.isprintable() else " " for c in inferred.notes[column.name])
        lines.append(f"  {scalar(column.name)}: {{{_promises(column)}}}  # {note}")
    lines += [
        "# Conditions over several columns, for example:",
        "# checks:",
        '#   - expr: "start <= end"',
    ]
    return "\n".join(lines) + "\n"


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


def _promises(column: ColumnContract) -> str:
    found = [f"type: {column.type}"]
    if column.nullable:
        found.append("nullable: true")
    if column.unique:
        found.append("unique: true")
    if column.min is not None:
        found.append(f"min: {scalar(column.min)}")
    if column.max is not None:
        found.append(f"max: {scalar(column.max)}")
    if column.values is not None:
        found.append(f"in: [{', '.join(map(scalar, column.values))}]")
    return ", ".join(found)
