"""A failing case made small: whatever can go while it still fails the same way goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from conformance.cases import Case


def shrunk(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The smallest that single steps lead to."""
    again = True
    while again:
        again = False
        for smaller in _smaller(case):
            if fails(smaller):
                case, again = smaller, True
                break
    return case


def _smaller(value: Any) -> Iterator[Any]:
    """`value` with one part less, or one part at its default."""
    for field in fields(value):
        part = getattr(value, field.name)
        default = None if field.default is MISSING else field.default
        if part == default:
            continue
        yield replace(value, **{field.name: default})
        if isinstance(part, tuple):
            for i in range(len(part) if len(part) > 1 else 0):
                yield replace(value, **{field.name: part[:i] + part[i + 1 :]})
            for i, item in enumerate(part):
                if is_dataclass(item):
                    for less in _smaller(item):
                        yield replace(value, **{field.name: (*part[:i], less, *part[i + 1 :])})
