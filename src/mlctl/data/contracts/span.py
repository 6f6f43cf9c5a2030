"""Spans of time as contracts write them: `90m`, `36h`, `2d`, `1w`. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = "m is minutes, h hours, d days, w weeks"
_MINUTES = {"m": 1, "h": 60, "d": 60 * 24, "w": 60 * 24 * 7}
_SPAN = re.compile(r"([0-9]{1,9})([mhdw])", re.ASCII)


def parse(text: str) -> timedelta | None:
    """The span that `text` names; None where it names none, or nothing above zero."""
    match = _SPAN.fullmatch(text)
    if match is None or int(match[1]) == 0:
        return None
    return timedelta(minutes=int(match[1]) * _MINUTES[match[2]])


def text(span: timedelta) -> str:
    """`span` (whole minutes) in the largest unit that divides it."""
    minutes = round(span.total_seconds() / 60)
    unit = next(u for u, size in reversed(_MINUTES.items()) if minutes % size == 0)
    return f"{minutes // _MINUTES[unit]}{unit}"
