"""Like with like: which rows of the reference are of a period's season."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mlctl.monitoring.cuts import Period, Rows
from mlctl.monitoring.spec import Season

if TYPE_CHECKING:
    import polars as pl

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def season_of(period: Period, season: Season, zone: str) -> str:
    """The key of the period: `monday`, `13` or `may`, by the clock of the zone at its beginning."""
    if period.start is None:
        return ""
    return _name(_number(period.start.astimezone(ZoneInfo(zone)), season), season)


def rows_of(at: pl.Series, period: Period, season: Season, zone: str) -> Rows:
    """The rows whose moment has the same key as the beginning of the period."""
    import numpy as np

    local = at.dt.convert_time_zone(zone)
    parts = {"weekday": local.dt.weekday, "hour": local.dt.hour, "month": local.dt.month}
    assert period.start is not None  # noqa: S101 - the caller has asked `season_of`
    wanted = _number(period.start.astimezone(ZoneInfo(zone)), season)
    return np.flatnonzero((parts[season]() == wanted).fill_null(False))


def keys_of(at: pl.Series, season: Season, zone: str) -> dict[str, Rows]:
    """The rows of every key, in the keys' order."""
    import numpy as np

    local = at.dt.convert_time_zone(zone)
    parts = {"weekday": local.dt.weekday, "hour": local.dt.hour, "month": local.dt.month}
    numbers = parts[season]().fill_null(-1).to_numpy()
    return {
        _name(int(n), season): np.flatnonzero(numbers == n) for n in np.unique(numbers) if n >= 0
    }


def _number(local: datetime, season: Season) -> int:
    return {"weekday": local.isoweekday(), "hour": local.hour, "month": local.month}[season]


def _name(number: int, season: Season) -> str:
    if season == "hour":
        return f"{number:02}"
    return (_DAYS if season == "weekday" else _MONTHS)[number - 1]
