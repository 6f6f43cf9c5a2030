"""Numbers and points in time told apart: ids, years, counters, timestamps and measures."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from mlctl.data.contracts import naming
from mlctl.data.contracts.facts import Facts
from mlctl.data.contracts.model import ColumnContract, Scalar
from mlctl.data.contracts.ranges import FEWEST, LARGEST, outwards, reach, trend
from mlctl.data.contracts.said import GUESS, LIKELY, SURE, Said, shown

_FIRST_YEAR = 1000  # YAML's dates have four digits
_YEARS = (1500, 2200)
_DAYS = (15_000_101, 22_001_231)  # yyyymmdd
# 1990 and 2100 in seconds since 1970, and the units that count from there.
_EPOCH = (631_152_000, 4_102_444_800)
_UNITS = (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))


def describe_number(facts: Facts, base: ColumnContract) -> Said:
    """A column of numbers that is neither an id of its rows nor a choice among a few values."""
    low, high = facts.low, facts.high
    seen = f"seen {shown(low)} to {shown(high)}"
    if facts.kind == "int":
        if naming.is_id(facts.name):
            column = replace(base, min=0 if low >= 0 else None)
            return Said(column, "an id of something else", LIKELY)
        if naming.is_year(facts.name) and _within(facts, *_YEARS):
            first = low - max(10, high - low)
            return Said(replace(base, min=first), f"a year, {seen}", SURE)
        if (instant := _instant(facts)) is not None:
            return Said(replace(base, min=instant[0]), instant[1], LIKELY)
    if not (math.isfinite(low) and math.isfinite(high)):
        return Said(base, seen, GUESS)
    if naming.is_share(facts.name) and low >= 0 and high <= 1 and facts.kind == "float":
        return Said(replace(base, min=0.0, max=1.0), f"a share, {seen}", LIKELY)
    return _measured(facts, base, seen)


def describe_moment(facts: Facts, base: ColumnContract) -> Said:
    """A column of dates or datetimes: no upper bound, since new ones will come."""
    first, last = facts.low, facts.high
    if not isinstance(first, date) or not isinstance(last, date):
        return Said(base, "points in time", GUESS)
    note = f"seen {_day(first)} to {_day(last)}"
    if facts.sample.len() >= FEWEST and trend(facts.sample.to_physical().cast(float)) < 0:
        return Said(base, f"{note}; newest first, so older ones may follow", LIKELY)
    room = max(timedelta(days=365), (last - first) / 2)
    if (_day(first) - date(_FIRST_YEAR + 1, 1, 1)) <= room:
        return Said(base, note, GUESS)
    start = (_day(first) - room).replace(month=1, day=1)
    bound: Scalar = start
    if facts.kind == "datetime":
        bound = datetime(start.year, 1, 1)  # noqa: DTZ001
    return Said(replace(base, min=bound), note, LIKELY)


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _measured(facts: Facts, base: ColumnContract, seen: str) -> Said:
    if facts.present < facts.missing:  # what decides that a value is there may decide its size, too
        return Said(base, f"{seen}; mostly missing, so no range", GUESS)
    found = reach(
        facts.sample, float(facts.low), float(facts.high), counts=naming.is_count(facts.name)
    )
    bottom, top = found.low, found.high
    if facts.sample.len() < FEWEST:
        return Said(base, f"{seen}; too few rows for a range", GUESS)
    if facts.kind == "int":
        column = replace(base, min=_whole(bottom, math.floor), max=_whole(top, math.ceil))
    else:
        column = replace(base, min=bottom, max=top)
    why = f"{seen}; {', '.join(found.why)}" if found.why else seen
    return Said(column, why, LIKELY if facts.sample.len() >= 100 else GUESS)


def _whole(bound: float | None, towards: Any) -> int | None:
    if bound is None or abs(bound) >= LARGEST:
        return None
    return int(towards(bound))


def _within(facts: Facts, low: float, high: float) -> bool:
    return bool(low <= facts.low and facts.high <= high)


def _instant(facts: Facts) -> tuple[int, str] | None:
    """The lower bound and the words for whole numbers that are points in time."""
    named = naming.is_moment(facts.name)
    if named and _within(facts, *_DAYS) and _are_days(facts):
        return (facts.low // 10000 - 1) * 10000, "a day as yyyymmdd: no upper bound"
    if not (named or trend(facts.sample.cast(float)) > 0):
        return None
    for unit, size in _UNITS:
        if _within(facts, _EPOCH[0] * size, _EPOCH[1] * size):
            return int(outwards(facts.low, math.floor)), f"{unit} since 1970: no upper bound"
    return None


def _are_days(facts: Facts) -> bool:
    months, days = facts.sample // 100 % 100, facts.sample % 100
    return bool(months.is_between(1, 12).all() and days.is_between(1, 31).all())
