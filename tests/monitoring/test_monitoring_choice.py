from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlctl.monitoring import choice
from mlctl.monitoring.cuts import Period, PeriodCut
from mlctl.monitoring.results import Alarm, DataRef, LabelState, MonitorReport
from mlctl.monitoring.spec import Thresholds

REF = DataRef("data", 1, 10, "")
DAY = timedelta(days=1)
START = datetime(2026, 5, 1, tzinfo=UTC)


def cut(day: int) -> PeriodCut:
    start = START + day * DAY
    return PeriodCut(Period(f"{start.date()}", start, start + DAY), None, None, REF)


def report(day: int, labels: LabelState | None = None) -> MonitorReport:
    period = cut(day).period
    assert period.start
    assert period.end
    return MonitorReport(
        "m", period.name, "ok", Alarm("quiet"), REF, REF, Thresholds(), 30, {}, (),
        start=period.start.isoformat(), end=period.end.isoformat(), labels=labels,
    )  # fmt: skip


def names(cuts: list[PeriodCut]) -> list[str]:
    return [c.period.name[-2:] for c in cuts]


def test_a_period_that_goes_on_is_left_out():
    cuts = [cut(0), cut(1), cut(2)]
    assert names(choice.over(cuts, START + 2 * DAY)) == ["01", "02"]
    assert names(choice.over(cuts, START + 2.5 * DAY)) == ["01", "02"]
    undated = PeriodCut(Period("rows-000001"), None, None, REF)
    assert choice.over([undated], START) == [undated]


@pytest.mark.parametrize("mark", ["estimated", "partial"])
def test_due_are_missing_periods_those_that_wait_for_labels_and_the_newest(mark):
    cuts = [cut(day) for day in range(5)]
    known = {
        r.period: r
        for r in (
            report(0, LabelState("final", 10, 10)),
            report(1, LabelState(mark, 5, 10)),
            report(2),
            report(4),
        )
    }
    assert names(choice.due(cuts, known)) == ["02", "04", "05"]


def test_before_and_after_a_period():
    known = {r.period: r for r in map(report, (3, 0, 2, 1))}
    at = report(1)
    assert [r.period[-2:] for r in choice.before(known, at)] == ["01"]
    assert [r.period[-2:] for r in choice.after(known, at)] == ["03", "04"]
