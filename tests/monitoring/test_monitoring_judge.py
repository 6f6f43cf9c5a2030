"""Verdicts: large and no accident, and a false-alarm rate that is kept."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlctl.monitoring.judge import adjust
from mlctl.monitoring.spec import Thresholds
from mlctl.monitoring.summaries.kinds import kind_of
from monitoring.frames import verdicts

LIMITS = Thresholds()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjust_is_scipys(p_values: list[float]) -> None:
    assert adjust(p_values) == pytest.approx(stats.false_discovery_control(p_values).tolist())


def test_adjust_of_nothing() -> None:
    assert adjust([]) == []


def test_no_false_alarms() -> None:
    """Without drift, the share of runs with even one alarm is far below q, over 20 columns.

    The effect's threshold keeps it low where samples are large; here they are small, so that the
    q-value alone has to.
    """
    rng = np.random.default_rng(20)
    limits = Thresholds(q=0.05, effect=0.01, missing=0.001)
    alarms = 0
    for _ in range(200):
        sides = []
        for rows in (300, 200):
            data: dict[str, object] = {f"n{at}": rng.normal(size=rows) for at in range(8)}
            data |= {f"i{at}": rng.integers(0, 60, rows) for at in range(4)}
            data |= {
                f"c{at}": rng.choice([*"abcde"], rows, p=[0.5, 0.3, 0.1, 0.07, 0.03])
                for at in range(4)
            }
            data |= {
                f"m{at}": [None if gone else 1.0 for gone in rng.random(rows) < 0.08]
                for at in range(4)
            }
            sides.append(pl.DataFrame(data))
        found = verdicts(sides[0], sides[1], limits)
        alarms += any(report.state == "drift" for report in found.values())
    assert alarms / 200 <= limits.q + 0.03
    assert alarms > 0, "a procedure that never alarms with these thresholds tests nothing"


def test_drift_needs_both_effect_and_significance() -> None:
    rng = np.random.default_rng(0)
    large = rng.normal(size=40_000)
    small_but_sure = verdicts(
        pl.DataFrame({"x": large}), pl.DataFrame({"x": rng.normal(0.06, size=40_000)})
    )["x"]
    assert small_but_sure.state == "ok"
    assert small_but_sure.q is not None
    assert small_but_sure.q < 0.001
    large_but_unsure = verdicts(
        pl.DataFrame({"x": rng.normal(size=40)}), pl.DataFrame({"x": rng.normal(size=40)})
    )["x"]
    assert (large_but_unsure.effect or 0) > LIMITS.effect
    assert large_but_unsure.state == "ok"
    both = verdicts(pl.DataFrame({"x": large}), pl.DataFrame({"x": large[:999] + 0.5}))["x"]
    assert both.state == "drift"
    assert both.reasons == ("distribution",)


def test_missing_values_are_drift_of_their_own() -> None:
    reference = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0] * 100})
    gone = [None if at % 5 == 0 else value for at, value in enumerate([1.0, 2.0, 3.0, 4.0] * 100)]
    found = verdicts(reference, pl.DataFrame({"x": gone}))["x"]
    assert found.state == "drift"
    assert found.reasons == ("missing",)
    assert found.missing == (0.0, 0.2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinity_are_missing(value: float) -> None:
    reference = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.5] * 100})
    current = pl.DataFrame({"x": [1.0, value, 3.0, 4.5] * 100})
    assert verdicts(reference, current)["x"].missing == (0.0, 0.25)


def test_a_column_that_is_gone_drifts() -> None:
    rng = np.random.default_rng(3)
    reference = pl.DataFrame({"x": rng.normal(size=100), "y": ["a", "b"] * 50})
    found = verdicts(reference, pl.DataFrame({"z": rng.normal(size=90)}))
    assert [found[name].state for name in "xy"] == ["drift", "drift"]
    assert found["x"].missing == (0.0, 1.0)


def test_a_changed_type_is_missing_or_still_compared() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=400)
    texts = [f"{value} EUR" for value in values]
    broken = verdicts(pl.DataFrame({"x": values}), pl.DataFrame({"x": texts}))["x"]
    assert (broken.state, broken.missing) == ("drift", (0.0, 1.0))
    numbers = verdicts(pl.DataFrame({"x": values}), pl.DataFrame({"x": map(str, values)}))["x"]
    assert numbers.state == "ok"
    codes = rng.integers(0, 4, 400)
    floats = verdicts(pl.DataFrame({"x": codes}), pl.DataFrame({"x": codes.astype(float)}))["x"]
    assert (floats.kind, floats.state, floats.effect) == ("categorical", "ok", 0.0)


def test_few_values_are_insufficient() -> None:
    few, many = pl.DataFrame({"x": [0.5, 1.5] * 10}), pl.DataFrame({"x": [9.5, 8.5] * 100})
    assert verdicts(many, few)["x"].state == "insufficient"
    assert verdicts(few, many)["x"].state == "insufficient"
    assert verdicts(many, few, min_rows=20)["x"].state == "drift"
    assert verdicts(many, many.clear())["x"].state == "insufficient"


def test_new_categories_are_told_and_drift_only_where_many() -> None:
    reference = pl.DataFrame({"x": ["a", "b"] * 500})
    one = pl.DataFrame({"x": ["a", "b"] * 499 + ["new", "b"]})
    found = verdicts(reference, one)["x"]
    assert (found.state, round(found.new_categories, 3)) == ("ok", 0.001)
    many = pl.DataFrame({"x": ["a", "b", "new"] * 300})
    assert verdicts(reference, many)["x"].state == "drift"


def test_a_constant_reference_is_judged_by_its_values() -> None:
    constant = pl.DataFrame({"x": [2.5] * 200})
    assert verdicts(constant, constant)["x"].state == "ok"
    moved = verdicts(constant, pl.DataFrame({"x": [2.5] * 100 + [2.6] * 100}))["x"]
    assert (moved.state, moved.effect) == ("drift", 0.5)
    assert "wasserstein" not in moved.metrics


def test_many_categories_do_not_drift_by_chance() -> None:
    rng = np.random.default_rng(9)
    names = [f"city {at}" for at in range(400)]
    found = verdicts(
        pl.DataFrame({"x": rng.choice(names, 1500)}), pl.DataFrame({"x": rng.choice(names, 1000)})
    )["x"]
    assert (found.kind, found.state) == ("categorical", "ok")
    assert (found.effect or 0) < LIMITS.effect


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 3] * 20, "categorical"),
        (list(range(60)), "numeric"),
        ([0.5, 1.5] * 30, "numeric"),
        ([True, False], "categorical"),
        (["a", "b", None], "categorical"),
        ([f"user {at}" for at in range(200)], "identifier"),
        ([[1], [2]], "embedding"),
        ([f"{'a long text of many words '} {at} and more of it" for at in range(200)], "text"),
        ([None, None], "other"),
    ],
)
def test_kinds(values: list[object], kind: str) -> None:
    assert kind_of(pl.Series("x", values)) == kind


def test_moments_are_no_numbers() -> None:
    days = pl.Series("x", ["2026-05-01", "2026-05-02"] * 50).str.to_date()
    assert kind_of(days) == "time"
    found = verdicts(pl.DataFrame({"x": days}), pl.DataFrame({"x": days}))["x"]
    assert found.state == "insufficient"


def test_the_worst_comes_first() -> None:
    rng = np.random.default_rng(1)
    reference = pl.DataFrame({name: rng.normal(size=500) for name in "abcd"})
    current = reference.with_columns(b=pl.col("b") + 0.5, c=pl.col("c") + 2, d=pl.lit("x"))
    order = list(verdicts(reference, current.drop("a").with_columns(a=reference["a"])))
    assert order == ["d", "c", "b", "a"]


def test_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    reference = pl.DataFrame({"x": rng.normal(size=300), "y": rng.choice([*"abc"], 300)})
    current = pl.DataFrame({"x": rng.normal(size=200), "y": rng.choice([*"abc"], 200)})
    assert verdicts(reference, current) == verdicts(
        reference.reverse(), current.sample(fraction=1, shuffle=True, seed=2)
    )


@pytest.mark.parametrize("name", ["count", "value", "n", "", "literal"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_name_of_a_column_is_special(name: str) -> None:
    table = pl.DataFrame({name: ["a", "b"] * 50})
    assert verdicts(table, table)[name].state == "ok"
    numbers = pl.DataFrame({name: [0.5, 1.5] * 50})
    assert verdicts(numbers, numbers)[name].state == "ok"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_huge_and_tiny_values_do_not_break_a_report() -> None:
    rng = np.random.default_rng(0)
    huge = pl.DataFrame({"x": rng.choice([-1.7e308, 1.7e308, 5e-324, 0.0], 200)})
    found = verdicts(huge, huge.with_columns(-pl.col("x") / 2))["x"]
    assert found.state in {"ok", "drift"}
    assert all(np.isfinite(value) for value in found.metrics.values())
