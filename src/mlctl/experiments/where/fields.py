"""The fields of a run that a filter and an order may name, and where the index has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from mlctl.errors import InvalidInput

Kind = Literal["text", "number", "time", "flag", "list"]
_FACTS = "(SELECT {} FROM facts WHERE facts.id = run.id)"
# What the index has in columns: its expression in SQL, and what kind of value that is.
FIXED: dict[str, tuple[str, Kind]] = {
    "id": ("run.id", "text"),
    "status": ("run.status", "text"),
    "name": (f"coalesce({_FACTS.format('name')}, run.begun)", "text"),
    "tags": (f"coalesce({_FACTS.format('tags')}, '[]')", "list"),
    "notes": (_FACTS.format("notes"), "text"),
    "archived": (f"coalesce({_FACTS.format('archived')}, 0)", "flag"),
    "kept": (f"coalesce({_FACTS.format('kept')}, 0)", "flag"),
    "ran": ("run.ran", "list"),
    "stage": ("run.ran", "list"),
    "failed": ("run.failed", "list"),
    "started": ("run.started", "time"),
    "seconds": ("run.seconds", "number"),
    "git.branch": ("run.branch", "text"),
    "git.commit": ('run."commit"', "text"),
    "git.dirty": ("run.dirty", "flag"),
}
_OTHER = {"tag": "tags", "stages": "stage", "branch": "git.branch", "commit": "git.commit",
          "dirty": "git.dirty", "duration": "seconds", "time": "seconds"}  # fmt: skip
_SUMMARY = re.compile(r"(metrics\..+)\.(?:max|min|last)")


@dataclass(frozen=True, slots=True)
class Field:
    """A field: an expression over `run`, or the names of values of which the first there counts."""

    kind: Kind | Literal["value"]
    column: str = ""
    names: tuple[str, ...] = ()


class UnknownField(InvalidInput):
    """No run has such a field; `hint` names one that is like it."""


def find_field(name: str, known: Iterable[str]) -> Field:
    """The field that `name` means; `known` are the values that runs have, `params.lr`.

    Raises UnknownField.
    """
    if name in FIXED:
        column, kind = FIXED[name]
        return Field(kind, column)
    values = set(known)
    if name in values and not _SUMMARY.fullmatch(name):
        return Field("value", names=(name,))
    # A metric that was never logged by steps has but one value: its greatest, least and last.
    if (match := _SUMMARY.fullmatch(name)) and (name in values or match[1] in values):
        return Field("value", names=(name, match[1]))
    raise _unknown(name, values)


def _unknown(name: str, values: set[str]) -> UnknownField:
    shown = sorted(value for value in values if not _is_summary(value, values))
    all_names = [*FIXED, *shown]
    alike = [_OTHER[name]] if name in _OTHER else []
    alike += [other for other in shown if other.split(".", 1)[1] == name]
    alike += get_close_matches(name, all_names, n=3, cutoff=0.8)
    alike += [other for other in shown if other.endswith(f".{name}")]
    best = list(dict.fromkeys(alike))[:3]
    hint = f"did you mean {' or '.join(best)}?" if best else f"fields are {_some(all_names)}"
    return UnknownField(f"no run has a field {name!r}", hint=hint)


def _is_summary(name: str, values: set[str]) -> bool:
    match = _SUMMARY.fullmatch(name)
    return match is not None and match[1] in values


def _some(names: list[str]) -> str:
    fixed = [name for name in names if name in FIXED]
    return ", ".join([*fixed, "metrics.NAME", "params.NAME"])
