"""Metrics against scikit-learn, intervals by simulation, labels that come late, and estimates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from mlctl.monitoring.cuts import Period
from mlctl.monitoring.performance import calibration, cbpe, intervals
from mlctl.monitoring.performance import metrics as ours
from mlctl.monitoring.performance.assessing import assess
from mlctl.monitoring.performance.preparing import fit, prepare
from mlctl.monitoring.performance.scored import Classified, Regressed
from mlctl.monitoring.spec import (
    Labels,
    MonitorSpec,
    PerformanceSpec,
    Predictions,
    ScoreLimit,
    Where,
)
from monitoring.frames import spec

NONE = np.zeros(9, int)
START = datetime(2026, 5, 1, tzinfo=UTC)
DAY = Period("2026-05-01", START, START + timedelta(days=1))


def binary(rows: int, seed: int, *, shift: float = 0.0, drop: float = 0.0) -> pl.DataFrame:
    """Rows with honest scores; `drop` is a share of labels that turned around."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, rows)
    chance = 1 / (1 + np.exp(-1.5 * x))
    y = (rng.random(rows) < chance) ^ (rng.random(rows) < drop)
    return pl.DataFrame(
        {
            "id": [f"{seed}-{n}" for n in range(rows)],
            "x": x,
            "p": chance,
            "said": (chance > 0.5).astype(int),
            "y": y.astype(int),
        }
    )


def monitor(task: str = "classification", wait: float = 0.0, **more: object) -> MonitorSpec:
    names = ("accuracy", "f1", "roc_auc") if task == "classification" else ("mae", "rmse")
    scores = {"1": "p"} if task == "classification" else {}
    limits = more.pop("limits", {})
    return spec(
        predictions=Predictions("said", scores),
        labels=Labels("y", Where(path="l"), "id", "known", wait),
        performance=PerformanceSpec(task, names, True, limits),  # type: ignore[arg-type]
        **more,
    )


def labelled(table: pl.DataFrame, count: int, at: datetime = START) -> pl.DataFrame:
    return table.head(count).select("id", "y").with_columns(known=pl.lit(at))


def assessed(one: MonitorSpec, rows: pl.DataFrame, known: pl.DataFrame, reference: pl.DataFrame):
    prepared = prepare(one, reference, None, ("x",))
    return assess(one, rows.drop("y"), known=known, prepared=prepared, period=DAY, slices={})


@pytest.mark.parametrize("seed", range(3))
def test_binary_metrics_are_scikit_learns(seed: int):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 500)
    p = np.round(np.clip(0.3 * truth + rng.random(500) * 0.7, 0.001, 0.999), 2)
    said = (p > 0.5).astype(int)
    rows = Classified(("0", "1"), truth, said, np.column_stack((1 - p, p)))
    expected = {
        "accuracy": sk.accuracy_score(truth, said),
        "precision": sk.precision_score(truth, said),
        "recall": sk.recall_score(truth, said),
        "f1": sk.f1_score(truth, said),
        "roc_auc": sk.roc_auc_score(truth, p),
        "average_precision": sk.average_precision_score(truth, p),
        "log_loss": sk.log_loss(truth, p),
        "brier": sk.brier_score_loss(truth, p),
    }
    for name, metric in ours.CLASSIFICATION.items():
        found = metric.compute(rows)
        assert found.value == pytest.approx(expected[name], abs=1e-9), name
        assert found.low is not None
        assert found.high is not None
        assert found.low <= expected[name] <= found.high


def test_multiclass_metrics_are_scikit_learns():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 400)
    raw = rng.random((400, 3)) + np.eye(3)[truth] * 0.6
    scores = raw / raw.sum(axis=1, keepdims=True)
    said = scores.argmax(axis=1)
    rows = Classified(("a", "b", "c"), truth, said, scores)
    value = {name: metric.compute(rows).value for name, metric in ours.CLASSIFICATION.items()}
    assert value["f1"] == pytest.approx(sk.f1_score(truth, said, average="macro"), abs=1e-9)
    auc = sk.roc_auc_score(truth, scores, multi_class="ovr")
    assert value["roc_auc"] == pytest.approx(auc, abs=1e-9)
    assert value["log_loss"] == pytest.approx(sk.log_loss(truth, scores), abs=1e-9)
    assert value["average_precision"] is None


def test_regression_metrics_are_scikit_learns():
    rng = np.random.default_rng(2)
    truth = rng.normal(1e6, 3, 500)
    said = truth + rng.normal(0.2, 1, 500)
    rows = Regressed(truth, said)
    expected = {
        "mae": sk.mean_absolute_error(truth, said),
        "mse": sk.mean_squared_error(truth, said),
        "rmse": sk.root_mean_squared_error(truth, said),
        "mape": sk.mean_absolute_percentage_error(truth, said),
        "r2": sk.r2_score(truth, said),
        "bias": float((said - truth).mean()),
    }
    for name, metric in ours.REGRESSION.items():
        found = metric.compute(rows)
        assert found.value == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name
        assert (found.low or 0) <= expected[name] <= (found.high or 0)


@pytest.mark.parametrize(
    ("metric", "rows"),
    [
        (
            "roc_auc",
            Classified(("0", "1"), np.zeros(9, int), np.zeros(9, int), np.full((9, 2), 0.5)),
        ),
        ("precision", Classified(("0", "1"), np.arange(9) % 2, NONE, None)),
        ("f1", Classified(("0", "1"), NONE, NONE, None)),
        ("roc_auc", Classified(("0", "1"), np.arange(9) % 2, NONE, None)),
    ],
)
def test_what_is_not_defined_says_why(metric: str, rows: Classified):
    found = ours.CLASSIFICATION[metric].compute(rows)
    assert found.value is None
    assert found.note


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(3)
    hits = {"accuracy": 0, "roc_auc": 0, "mae": 0, "f1": 0}
    truths = {"accuracy": 0.75, "mae": np.sqrt(2 / np.pi)}
    big = binary(200_000, 9)
    rows = Classified(
        ("0", "1"), big["y"].to_numpy(), big["said"].to_numpy(),
        np.column_stack((1 - big["p"].to_numpy(), big["p"].to_numpy())),
    )  # fmt: skip
    for name in ("accuracy", "roc_auc", "f1"):
        truths[name] = ours.CLASSIFICATION[name].compute(rows).value or 0.0
    for _ in range(200):
        some = rows.at(rng.integers(0, 200_000, 300))
        for name in ("accuracy", "roc_auc", "f1"):
            found = ours.CLASSIFICATION[name].compute(some)
            hits[name] += (found.low or 0) <= truths[name] <= (found.high or 0)
        mae = ours.mae(Regressed(np.zeros(300), rng.normal(size=300)))
        hits["mae"] += (mae.low or 0) <= truths["mae"] <= (mae.high or 0)
    assert all(count >= 180 for count in hits.values()), hits  # 190 expected, sd 3


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=2, max_size=60).filter(
        lambda pairs: len({y for _, y in pairs}) == 2
    )
)
@settings(max_examples=80, deadline=None)
def test_isotonic_is_scikit_learns(pairs: list[tuple[int, int]]):
    scores, truth = (np.array(side, float) for side in zip(*pairs, strict=True))
    x, y = calibration.isotonic(scores, truth)
    model = IsotonicRegression(out_of_bounds="clip").fit(scores, truth)
    grid = np.unique(scores)
    assert np.interp(grid, x, y) == pytest.approx(model.predict(grid), abs=1e-9)


def test_midranks_give_the_auc_of_scikit_learn_with_ties():
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 5, 300).astype(float), rng.integers(0, 2, 300)
    assert ours.auc(scores[truth == 1], scores[truth == 0]) == pytest.approx(
        sk.roc_auc_score(truth, scores), abs=1e-12
    )
    low, high = intervals.delong(scores[truth == 1], scores[truth == 0])
    assert low < 0.5 < high


def test_numbers_are_estimated_then_partial_then_final():
    reference, rows = binary(3000, 0), binary(600, 1)
    one = monitor(wait=7 * 86_400.0)
    marks = []
    for count, at in ((0, START), (200, START), (200, START + timedelta(days=9)), (600, START)):
        found = assessed(one, rows, labelled(rows, count, at), reference)
        assert found.labels is not None
        assert found.labels.known == count
        marks.append((found.labels.mark, found.scores[0].mark))
        assert found.scores[0].value == pytest.approx(0.75, abs=0.12)
    assert marks == [
        ("estimated", "estimated"),
        ("partial", "partial"),
        ("final", "final"),
        ("final", "final"),
    ]
    few = assessed(one, rows, labelled(rows, 12), reference)
    assert (few.scores[0].mark, few.scores[0].note) == (
        "estimated",
        "12 labels are too few to score",
    )


def test_late_labels_are_joined_by_id_the_newest_counts():
    rows = binary(200, 1)
    one = monitor()
    known = pl.concat(
        [
            labelled(rows, 200, START).with_columns(y=1 - pl.col("y")),
            labelled(rows, 200, START + timedelta(days=1)),
        ]
    ).sample(fraction=1, shuffle=True, seed=1)
    found = assessed(one, rows, known, binary(2000, 0))
    realised = (rows["said"] == rows["y"]).mean()
    assert found.scores[0].value == pytest.approx(realised)
    assert [f.code for f in found.findings] == ["duplicate_labels"]
    numbers = rows.with_columns(id=pl.int_range(200))
    texts = labelled(numbers, 200).with_columns(pl.col("id").cast(pl.String))
    assert assessed(one, numbers, texts, binary(2000, 0)).scores[0].value == pytest.approx(realised)


@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_cbpe_is_right_where_inputs_change(shift: float):
    one, errors = monitor(), []
    reference = binary(5000, 0)
    for seed in range(1, 9):
        rows = binary(2000, seed, shift=shift)
        found = assessed(one, rows, labelled(rows, 2000), reference)
        for score in found.scores:
            assert score.estimate is not None
            assert score.estimate.error == pytest.approx(
                score.estimate.value - (score.value or 0.0), abs=1e-12
            )
            errors.append(score.estimate.error)
    assert abs(np.mean(errors)) < 0.01
    assert np.abs(errors).max() < 0.05


def test_cbpe_cannot_see_that_inputs_mean_something_else_and_says_so():
    rows = binary(3000, 1, drop=0.3)
    found = assessed(monitor(), rows, labelled(rows, 3000), binary(5000, 0))
    estimate = found.scores[0].estimate
    assert estimate is not None
    assert estimate.error is not None
    assert estimate.error > 0.08
    assert "no concept drift" in estimate.assumption


def test_an_estimate_far_from_the_reference_is_not_trusted():
    one = monitor(limits={"accuracy": ScoreLimit(most=None, least=0.99)})
    reference = binary(3000, 0).filter(pl.col("p") < 0.6)
    rows = binary(2000, 1, shift=3.0)
    found = assessed(one, rows, labelled(rows, 0), reference)
    estimate = found.scores[0].estimate
    assert estimate is not None
    assert not estimate.valid
    assert "lie outside" in estimate.check
    assert found.scores[0].state == "insufficient"  # neither good nor bad by what is not trusted


def test_cbpe_from_a_baseline_is_the_same():
    reference, rows = binary(4000, 0), binary(900, 1, shift=0.4)
    one = monitor()
    kept = fit(one, reference)
    prepared = prepare(one, None, kept)
    found = assess(one, rows.drop("y"), known=None, prepared=prepared, period=DAY, slices={})
    exact = assessed(one, rows, labelled(rows, 0), reference)
    for a, b in zip(found.scores, exact.scores, strict=True):
        assert a.value == pytest.approx(b.value, abs=2e-3)
        assert a.reference == pytest.approx(b.reference, abs=1e-5)


def test_the_expected_auc_is_the_mean_over_what_labels_may_be():
    rng = np.random.default_rng(4)
    p = np.round(rng.random(200), 2)
    drawn = [sk.roc_auc_score(rng.random(200) < p, p) for _ in range(2000)]
    assert cbpe.expected_auc(p, p) == pytest.approx(np.mean(drawn), abs=0.003)


def test_a_limit_is_passed_only_where_the_interval_is():
    reference = binary(3000, 0)
    rows = binary(1000, 1)
    accuracy = (rows["said"] == rows["y"]).mean()
    for limit, state in (
        (ScoreLimit(least=accuracy + 0.01), "ok"),  # below it, by less than chance
        (ScoreLimit(least=0.9), "degraded"),
        (ScoreLimit(drop=0.2), "ok"),
    ):
        one = monitor(limits={"accuracy": limit})
        found = assessed(one, rows, labelled(rows, 1000), reference)
        assert found.scores[0].state == state, limit
    worse = binary(1000, 2, drop=0.4)
    one = monitor(limits={"accuracy": ScoreLimit(drop=0.1)})
    assert assessed(one, worse, labelled(worse, 1000), reference).scores[0].state == "degraded"


def test_the_error_of_a_regression_is_estimated_by_its_features():
    def table(rows: int, seed: int, low: float) -> pl.DataFrame:
        draw = np.random.default_rng(seed)
        x = draw.uniform(low, 1, rows)
        y = 10 * x + draw.normal(0, 0.2 + 2 * x)
        return pl.DataFrame(
            {"id": [f"{seed}-{n}" for n in range(rows)], "x": x, "said": 10 * x, "y": y}
        )

    reference, rows = table(6000, 0, 0.0), table(2000, 1, 0.5)  # only the harder half
    one = monitor("regression")
    found = assessed(one, rows, labelled(rows, 2000), reference)
    mae = found.scores[0]
    assert mae.estimate is not None
    assert mae.value is not None
    assert mae.reference is not None
    assert mae.value > 1.3 * mae.reference
    assert mae.estimate.value == pytest.approx(mae.value, rel=0.08)
    assert mae.estimate.method == "DLE"
    again = assessed(one, rows, labelled(rows, 2000), reference)
    assert again.scores == found.scores


def test_slices_have_scores_of_their_own():
    rows = binary(800, 1)
    one = monitor()
    prepared = prepare(one, binary(3000, 0))
    places = {"low": np.arange(0, 800, 2), "few": np.arange(5)}
    for known in (labelled(rows, 800), labelled(rows, 0)):
        found = assess(
            one, rows.drop("y"), known=known, prepared=prepared, period=DAY, slices=places
        )
        assert found.slice_scores["low"]["accuracy"] == pytest.approx(0.75, abs=0.07)
        assert found.slice_scores["few"] == {}
