"""What is said of values that break a rule: themselves, or only what they look like.

Reports are committed and CI keeps its logs, and a failing value may be somebody's name. Pure.
"""

from __future__ import annotations

import re
from typing import Any

from mlctl.data.contracts.outcome import Failure

_RUN = re.compile(r"(.)\1{4,}")
_LONGEST = 40
_NOT_NUMBERS = ("NaN", "Infinity", "-Infinity")


def may_show(failure: Failure, personal: frozenset[str], *, show: bool, terminal: bool) -> bool:
    """Whether the values of a failure may be said as they are.

    On a terminal they are, and elsewhere if `show` asks for it. Those of a `personal` column need
    one step more: asked for on a terminal, and nowhere else. A rule over several columns counts as
    personal where any column of the contract does.
    """
    is_personal = failure.column in personal if failure.column else bool(personal)
    return show and terminal if is_personal else show or terminal


def pattern(value: Any) -> Any:
    """What `value` looks like: `Aaa 99-99`, `-9.99`; for a number that is its order of magnitude.

    None, NaN and infinities stay: they are no values. Several values give a list.
    """
    if value is None or value in _NOT_NUMBERS:
        return value
    if isinstance(value, tuple | list):
        return [pattern(item) for item in value]
    if isinstance(value, bool):
        return "true or false"
    shape = "".join(map(_shape, text(value) if value else str(value)))
    short = _RUN.sub(r"\1\1\1…", shape)
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


def _shape(character: str) -> str:
    if character.isdecimal():
        return "9"
    if character.isupper():
        return "A"
    if character.islower():
        return "a"
    return "x" if character.isalpha() else character


def text(value: Any) -> str:
    """A value or a pattern as it stands in a table's cell."""
    if isinstance(value, tuple | list):
        return f"({', '.join(map(text, value))})"
    if value is None or value == "":
        return "null" if value is None else '""'
    return f"{value:.6g}" if isinstance(value, float) else str(value)
