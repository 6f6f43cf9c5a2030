"""Periods of rows: by the clock of a time zone, by a number of rows, or all as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mlctl.errors import InvalidInput
from mlctl.monitoring.cuts import Period, Rows
from mlctl.monitoring.period_names import first_day, is_day, last_day
from mlctl.monitoring.results import Finding
from mlctl.monitoring.spec import Unit

if TYPE_CHECKING:
    import polars as pl

MOST = 100_000  # periods: an hour for ten years
_FORMS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
_EVERY = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo"}


def moments(column: pl.Series, zone: str, *, path: str) -> tuple[pl.Series, list[Finding]]:
    """The column as moments in UTC, null where there is none, and what was odd about them.

    Moments without a zone are those of `zone`: of an hour that comes twice the first, of one that
    does not come the next. Raises InvalidInput for a column that holds no moments.
    """
    import polars as pl

    values, findings = column, []
    if column.dtype == pl.String:
        values = _parsed(column)
        if values.null_count() == values.len() and values.len():
            raise InvalidInput(f"{path}: column {column.name!r} holds no dates but text")
    elif column.dtype.is_integer():
        values = _from_epoch(column, path)
    elif column.dtype not in (pl.Date, pl.Datetime):
        raise InvalidInput(f"{path}: column {column.name!r} holds no dates but {column.dtype}")
    values = values.cast(pl.Datetime("us", getattr(values.dtype, "time_zone", None)))
    if values.dtype.time_zone is None:  # type: ignore[attr-defined]
        twice = _ambiguous(values, zone)
        if twice:
            text = f"{twice} moments of {column.name} lie in an hour that came twice"
            findings.append(Finding("ambiguous_time", text, column.name, "info"))
        values = values.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    gone = values.null_count()
    if gone:
        text = f"{gone} rows have no moment in {column.name}, and belong to no period"
        findings.append(Finding("no_time", text, column.name))
    return values.dt.convert_time_zone("UTC"), findings


def by_time(at: pl.Series, unit: Unit, zone: str) -> list[tuple[Period, Rows]]:
    """The periods from the first moment to the last, ascending, also the empty ones."""
    import numpy as np

    local = at.dt.convert_time_zone(zone)
    starts = local.dt.truncate(_EVERY[unit]).dt.convert_time_zone("UTC").dt.timestamp("us")
    known = starts.drop_nulls()
    if not known.len():
        return []
    periods = _periods(_moment(known.min()), _moment(known.max()), unit, zone)
    edges = np.array([round(p.start.timestamp() * 1e6) for p in periods if p.start], np.int64)
    where = starts.fill_null(-(2**62)).to_numpy()
    places = np.searchsorted(edges, where, side="right") - 1
    order = np.argsort(places, kind="stable")
    cuts = np.searchsorted(places[order], np.arange(len(periods) + 1))
    return [(p, order[cuts[n] : cuts[n + 1]]) for n, p in enumerate(periods)]


def by_rows(height: int, size: int, at: pl.Series | None) -> list[tuple[Period, Rows]]:
    """`size` rows each, in their order; the last may be shorter."""
    import numpy as np

    found = []
    for number, first in enumerate(range(0, height, size), start=1):
        rows = np.arange(first, min(first + size, height))
        period = _spanning(f"rows-{number:06}", at, rows)
        found.append((replace(period, goes_on=rows.size < size), rows))
    return found


def whole(at: pl.Series | None, zone: str, digest: str) -> Period:
    """All rows as one period: named by its day or days, or by the head of the data's digest."""
    if at is None or at.null_count() == at.len():
        return Period(digest.rpartition(":")[2][:8] or "all")
    local = at.dt.convert_time_zone(zone)
    first, last = local.min(), local.max()
    assert isinstance(first, datetime)  # noqa: S101 - not all are null
    assert isinstance(last, datetime)  # noqa: S101
    days = f"{first.date()}" if first.date() == last.date() else f"{first.date()}_{last.date()}"
    midnight = datetime.combine(last.date(), datetime.min.time(), ZoneInfo(zone))
    start = datetime.combine(first.date(), datetime.min.time(), ZoneInfo(zone))
    return Period(days, start.astimezone(UTC), _next(midnight, "day").astimezone(UTC))


def name_of(start: datetime, unit: Unit) -> str:
    """What the period that begins at the local time `start` is called."""
    if unit == "week":
        year, week, _ = start.isocalendar()
        return f"{year}-W{week:02}"
    if unit == "hour" and start.fold:
        return f"{start:%Y-%m-%dT%H}b"  # the second time that a clock shows this hour
    form = {"hour": "%Y-%m-%dT%H", "month": "%Y-%m"}.get(unit, "%Y-%m-%d")
    return start.strftime(form)


def bounded(
    cuts: Sequence[tuple[Period, Rows | None]], since: str | None, until: str | None
) -> list[tuple[Period, Rows | None]]:
    """Those from `since` to `until`, both names of periods or beginnings of such.

    Raises InvalidInput where a bound is no name that a period could have.
    """
    names = [period.name for period, _ in cuts]
    for bound in (since, until):
        if bound is not None and names and not any(c.isdigit() for c in bound):
            raise InvalidInput(
                f"no period is called {bound!r}", hint=f"they are called as {names[-1]!r}"
            )
    return [
        (period, rows)
        for period, rows in cuts
        if (since is None or _reaches(period, since)) and (until is None or _begins(period, until))
    ]


def _reaches(period: Period, bound: str) -> bool:
    """Whether the period is not over when `bound` begins."""
    last = last_day(period.name)
    return last >= bound if last and is_day(bound) else period.name >= bound


def _begins(period: Period, bound: str) -> bool:
    """Whether the period begins within `bound`."""
    first = first_day(period.name)
    if first and is_day(bound):
        return first <= bound
    return period.name <= bound or period.name.startswith(bound)


def _periods(first: datetime, last: datetime, unit: Unit, zone: str) -> list[Period]:
    found = []
    start = first.astimezone(ZoneInfo(zone))
    while start.astimezone(UTC) <= last:
        end = _next(start, unit)
        found.append(Period(name_of(start, unit), start.astimezone(UTC), end.astimezone(UTC)))
        start = end
        if len(found) > MOST:
            raise InvalidInput(
                f"the data span more than {MOST:,} periods of an {unit}",
                hint="a wrong year in the time column? or a longer `every`",
            )
    return found


def _next(start: datetime, unit: Unit) -> datetime:
    """The beginning of the next period, by the clock on the wall."""
    if unit == "hour":
        return (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
    if unit == "month":
        year, month = divmod(start.year * 12 + start.month, 12)
        return start.replace(year=year, month=month + 1, day=1)
    return start + timedelta(days=1 if unit == "day" else 7)


def _moment(value: Any) -> datetime:
    return datetime.fromtimestamp(value / 1e6, UTC)


def _spanning(name: str, at: pl.Series | None, rows: Rows) -> Period:
    if at is None:
        return Period(name)
    there = at[rows].drop_nulls()
    if not there.len():
        return Period(name)
    first, last = there.min(), there.max()
    return Period(name, first, last)  # type: ignore[arg-type]


def _parsed(column: pl.Series) -> pl.Series:
    import polars as pl

    zoned = column.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    if zoned.null_count() < column.len():
        return zoned
    for form in _FORMS:
        parsed = column.str.to_datetime(form, strict=False, time_unit="us")
        if parsed.null_count() < column.len():
            return parsed
    return column.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))


def _from_epoch(column: pl.Series, path: str) -> pl.Series:
    """Whole seconds, milli-, micro- or nanoseconds since 1970, told apart by their size."""
    import polars as pl

    middle = column.drop_nulls().median()
    for scale, unit in ((1e9, 1_000_000), (1e12, 1000), (1e15, 1), (1e18, 0)):
        if isinstance(middle, float) and 0.3 * scale <= middle < 10 * scale:  # 1979 to 2286
            whole = column.cast(pl.Int64)
            micros = whole * unit if unit else whole // 1000
            return micros.cast(pl.Datetime("us", "UTC"))
    raise InvalidInput(f"{path}: column {column.name!r} holds whole numbers that are no moments")


def _ambiguous(values: pl.Series, zone: str) -> int:
    first = values.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    last = values.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    return int((first != last).sum() or 0)
