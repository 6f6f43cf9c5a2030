"""A number of each report, over the periods. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mlctl.monitoring.results import MonitorReport


@dataclass(frozen=True, slots=True)
class Series:
    """`values[i]` in `periods[i]`, None where there is none; `name` is what it is."""

    name: str
    periods: tuple[str, ...]
    values: tuple[float | None, ...]


def drifted(reports: Sequence[MonitorReport]) -> Series:
    """The share of the judged columns that drifted."""
    values: list[float | None] = []
    for report in reports:
        bad, good = report.counts.get("drift", 0), report.counts.get("ok", 0)
        values.append(bad / (bad + good) if bad + good else None)
    return _series("drifted", reports, values)


def effect(reports: Sequence[MonitorReport], column: str) -> Series:
    """The effect of one column."""
    values = [
        next((c.effect for c in report.columns if c.name == column), None) for report in reports
    ]
    return _series(column, reports, values)


def score(reports: Sequence[MonitorReport], metric: str) -> Series:
    """A metric of the model, realised or estimated."""
    values = [next((s.value for s in r.scores if s.metric == metric), None) for r in reports]
    return _series(metric, reports, values)


def estimated(reports: Sequence[MonitorReport], metric: str) -> Series:
    """What was expected of a metric before labels came."""
    values = [
        next((s.estimate.value for s in r.scores if s.metric == metric and s.estimate), None)
        for r in reports
    ]
    return _series(f"{metric}, estimated", reports, values)


def deseasoned(values: Sequence[float], keys: Sequence[str]) -> list[float]:
    """`values` without what their season (the key of each) usually adds: its median's difference.

    A season of fewer than three values keeps them.
    """
    whole = median(values) if values else 0.0
    by_key: dict[str, list[float]] = {}
    for value, key in zip(values, keys, strict=True):
        by_key.setdefault(key, []).append(value)
    usual = {key: median(v) - whole if len(v) >= 3 else 0.0 for key, v in by_key.items()}
    return [value - usual[key] for value, key in zip(values, keys, strict=True)]


def _series(name: str, reports: Sequence[MonitorReport], values: Sequence[float | None]) -> Series:
    return Series(name, tuple(report.period for report in reports), tuple(values))
