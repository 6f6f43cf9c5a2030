"""How old data may be: the age of its newest value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from mlctl.data.contracts import span
from mlctl.data.contracts.model import Freshness


def check_of(freshness: Freshness) -> str:
    """What the rule is called in reports."""
    return f"freshness {span.text(freshness.max_age)}"


def fault(freshness: Freshness, newest: date | None, now: datetime) -> str | None:
    """What is wrong at `now` (UTC, without a zone) where `newest` is the newest value, or None.

    A date counts until its end.
    """
    if newest is None:
        return "no value is there"
    if isinstance(newest, datetime):
        age, said = now - newest, newest.isoformat(sep=" ", timespec="seconds")
    else:
        end = datetime(newest.year, newest.month, newest.day) + timedelta(days=1)  # noqa: DTZ001
        age, said = now - end, newest.isoformat()
    return f"the newest value is {said}" if age > freshness.max_age else None


def clock_now() -> datetime:
    """The time in UTC, without a zone."""
    from mlctl.adapters import clock

    return datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None)
