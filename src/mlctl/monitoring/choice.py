"""Which periods a run looks at, and whether they are over. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mlctl.monitoring.cuts import PeriodCut
from mlctl.monitoring.results import MonitorReport


def over(cuts: Sequence[PeriodCut], now: datetime) -> list[PeriodCut]:
    """Those that have ended: one that goes on would make a new revision at every run."""
    return [
        cut
        for cut in cuts
        if not cut.period.goes_on and (cut.period.end is None or cut.period.end <= now)
    ]


def due(cuts: Sequence[PeriodCut], known: Mapping[str, MonitorReport]) -> list[PeriodCut]:
    """Those without a report, those whose labels are not final, and the last."""
    return [
        cut
        for cut in cuts
        if cut is cuts[-1] or cut.period.name not in known or _open(known[cut.period.name])
    ]


def before(reports: Mapping[str, MonitorReport], report: MonitorReport) -> list[MonitorReport]:
    """The reports on earlier periods, ascending; undated ones count as earlier."""
    earlier = [
        r for r in reports.values() if r.period != report.period and _place(r) < _place(report)
    ]
    return sorted(earlier, key=_place)


def after(reports: Mapping[str, MonitorReport], report: MonitorReport) -> list[MonitorReport]:
    """The reports on later periods, ascending."""
    later = [
        r for r in reports.values() if r.period != report.period and _place(r) > _place(report)
    ]
    return sorted(later, key=_place)


def _open(report: MonitorReport) -> bool:
    return report.labels is not None and report.labels.mark != "final"


def _place(report: MonitorReport) -> tuple[str, str, str]:
    return report.end, report.start, report.period
