"""The verdict on a period, from what was found in it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mlctl.monitoring.results import (
    STATES,
    ColumnReport,
    Finding,
    JointReport,
    MonitorReport,
    Score,
    SliceReport,
    State,
    Verdict,
)
from mlctl.monitoring.spec import FailOn, Thresholds

BAD: tuple[Verdict, ...] = ("degraded", "drift")
HARMFUL = ("feedback_loop", "training_serving_skew")  # findings that are as bad as drift


def counted(columns: Sequence[ColumnReport]) -> dict[State, int]:
    """How many columns are in each state."""
    counts = Counter(column.state for column in columns)
    return {state: counts[state] for state in STATES}


def verdict_of(
    columns: Sequence[ColumnReport],
    thresholds: Thresholds,
    *,
    joint: Sequence[JointReport] = (),
    slices: Sequence[SliceReport] = (),
    scores: Sequence[Score] = (),
    findings: Sequence[Finding] = (),
) -> Verdict:
    """`degraded` before `drift` before `ok`; `insufficient` where nothing could be judged.

    A share of columns that must drift (`thresholds.share`) concerns the columns alone: slices,
    joint tests and harmful findings speak for themselves.
    """
    if any(score.state == "degraded" for score in scores):
        return "degraded"
    states: set[State] = {test.state for test in joint} | {part.state for part in slices}
    harmful = any(f.code in HARMFUL and f.severity != "info" for f in findings)
    if harmful or "drift" in states or _columns_drifted(columns, thresholds):
        return "drift"
    states |= {column.state for column in columns}
    judged = "ok" in states or "drift" in states or any(s.state == "ok" for s in scores)
    return "ok" if judged else "insufficient"


def is_bad(report: MonitorReport) -> bool:
    """Whether the verdict on a period is one that people want to hear of."""
    return report.verdict in BAD


def fails(fail_on: FailOn, verdict: Verdict, alarm: str) -> bool:
    """Whether the monitor asks for a failure. What is muted never fails."""
    if fail_on == "never" or alarm == "muted":
        return False
    if fail_on == "alarm":
        return alarm == "raised"
    return verdict in (BAD if fail_on == "drift" else BAD[:1])


def _columns_drifted(columns: Sequence[ColumnReport], thresholds: Thresholds) -> bool:
    counts: Mapping[State, int] = counted(columns)
    judged = counts["drift"] + counts["ok"]
    return counts["drift"] > 0 and counts["drift"] / judged >= (thresholds.share or 0)
