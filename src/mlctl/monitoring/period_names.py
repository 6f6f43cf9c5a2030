"""The days that a period's name stands for, by the clock of its own zone. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


def is_day(text: str) -> bool:
    """Whether the text is a date such as `2026-05-01`."""
    return _DAY.fullmatch(text) is not None


def first_day(name: str) -> str:
    """The date of the first day, empty for what is not dated."""
    return _days(name)[0]


def last_day(name: str) -> str:
    """The date of the last day, empty for what is not dated."""
    return _days(name)[1]


def _days(name: str) -> tuple[str, str]:
    if found := _DAY.findall(name):
        return found[0], found[-1]
    if week := _WEEK.fullmatch(name):
        year, number = int(week[1]), int(week[2])
        ends = (date.fromisocalendar(year, number, day).isoformat() for day in (1, 7))
        return next(ends), next(ends)
    if month := _MONTH.fullmatch(name):
        return f"{name}-01", f"{name}-{monthrange(int(month[1]), int(month[2]))[1]:02}"
    return "", ""
