"""A monitor over time: its verdicts, series, and where they changed. Pure but for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlctl.monitoring.alarms import change_points, series
from mlctl.monitoring.alarms.series import Series
from mlctl.monitoring.results import MonitorReport


@dataclass(frozen=True, slots=True)
class Line:
    """A series, and the periods in which a new level starts; `estimated` where there is one."""

    series: Series
    changes: tuple[str, ...]
    estimated: Series | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The reports, ascending, and their series: the share that drifted first, then scores."""

    monitor: str
    reports: tuple[MonitorReport, ...]
    lines: tuple[Line, ...]


def history(name: str, reports: Sequence[MonitorReport], *, columns: Sequence[str] = ()) -> History:
    """The history of a monitor, with the effects of `columns` besides."""
    lines = [_line(series.drifted(reports))]
    metrics = dict.fromkeys(score.metric for report in reports for score in report.scores)
    for metric in metrics:
        expected = series.estimated(reports, metric)
        has = any(value is not None for value in expected.values)
        lines.append(_line(series.score(reports, metric), expected if has else None))
    lines += [_line(series.effect(reports, column)) for column in columns]
    return History(name, tuple(reports), tuple(lines))


def most_drifted(reports: Sequence[MonitorReport], most: int = 20) -> list[str]:
    """The columns that drifted in most periods, then those with the largest effect."""
    often: dict[str, tuple[int, float]] = {}
    for report in reports:
        for column in report.columns:
            count, effect = often.get(column.name, (0, 0.0))
            drifted = column.state == "drift"
            often[column.name] = (count + drifted, max(effect, column.effect or 0.0))
    ranked = sorted(often, key=lambda n: (-often[n][0], -often[n][1], n))
    return [name for name in ranked if often[name][1] > 0][:most]


def _line(found: Series, estimated: Series | None = None) -> Line:
    known = [at for at, value in enumerate(found.values) if value is not None]
    places = change_points.find([found.values[at] or 0.0 for at in known])
    return Line(found, tuple(found.periods[known[place]] for place in places), estimated)
