from __future__ import annotations

import pytest

from mlctl.monitoring.results import (
    ColumnReport,
    Finding,
    JointReport,
    Score,
    SliceReport,
    State,
)
from mlctl.monitoring.spec import Thresholds
from mlctl.monitoring.verdicts import counted, fails, verdict_of


def column(state: State, name: str = "a") -> ColumnReport:
    return ColumnReport(name, "numeric", state)


def score(state: str) -> Score:
    return Score("mae", "final", 1.0, 0.9, 1.1, 100, state)  # type: ignore[arg-type]


def test_one_drifted_column_is_enough_unless_a_share_is_asked():
    columns = [column("drift"), column("ok", "b"), column("ok", "c"), column("insufficient", "d")]
    assert verdict_of(columns, Thresholds()) == "drift"
    assert verdict_of(columns, Thresholds(share=0.33)) == "drift"  # a third of those judged
    assert verdict_of(columns, Thresholds(share=0.34)) == "ok"
    assert counted(columns) == {"drift": 1, "insufficient": 1, "ok": 2}


def test_nothing_judged_is_neither_good_nor_bad():
    assert verdict_of([], Thresholds()) == "insufficient"
    assert verdict_of([column("insufficient")], Thresholds()) == "insufficient"
    assert verdict_of([column("insufficient")], Thresholds(), scores=[score("ok")]) == "ok"


def test_a_worse_model_goes_before_drift():
    columns = [column("drift")]
    assert verdict_of(columns, Thresholds(), scores=[score("degraded")]) == "degraded"
    assert verdict_of(columns, Thresholds(), scores=[score("insufficient")]) == "drift"


@pytest.mark.parametrize(
    "found",
    [
        {"joint": [JointReport("pca", "drift", 2.0, 1.1, 0.001)]},
        {"slices": [SliceReport("country=DE", 100, "drift", {"drift": 1})]},
        {"findings": [Finding("feedback_loop", "model output in training data")]},
    ],
    ids=["joint", "slice", "finding"],
)
def test_what_is_no_column_speaks_for_itself(found):
    assert verdict_of([column("ok")], Thresholds(share=1.0), **found) == "drift"


def test_a_finding_for_information_is_no_drift():
    found = [Finding("training_serving_skew", "0.1 % differ", severity="info")]
    assert verdict_of([column("ok")], Thresholds(), findings=found) == "ok"


@pytest.mark.parametrize(
    ("fail_on", "verdict", "alarm", "expected"),
    [
        ("never", "degraded", "raised", False),
        ("drift", "drift", "quiet", True),
        ("drift", "degraded", "quiet", True),
        ("drift", "ok", "quiet", False),
        ("drift", "insufficient", "quiet", False),
        ("degraded", "drift", "raised", False),
        ("degraded", "degraded", "quiet", True),
        ("alarm", "drift", "quiet", False),  # not yet often enough
        ("alarm", "ok", "raised", True),  # two of the last three
        ("drift", "drift", "muted", False),
        ("alarm", "drift", "muted", False),
    ],
)
def test_when_a_monitor_fails(fail_on, verdict, alarm, expected):
    assert fails(fail_on, verdict, alarm) is expected
