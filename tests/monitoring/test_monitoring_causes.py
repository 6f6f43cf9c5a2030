"""Causes, skew and feedback: what was planted is found first, and noise is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mlctl.monitoring import causes, feedback, skew
from mlctl.monitoring.results import ColumnReport
from mlctl.monitoring.spec import FeedbackSpec, Predictions, SkewSpec, Where
from monitoring.frames import spec


def planted(seed: int, rows: int = 4000):
    rng = np.random.default_rng(seed)
    table = pl.DataFrame(
        {
            "country": rng.choice(["DE", "FR", "JP"], rows),
            "age": rng.normal(45, 12, rows),
            **{f"noise{n}": rng.normal(size=rows) for n in range(8)},
        }
    )
    return table, (rng.random(rows) < 0.08).astype(float), rng


def ranked(table: pl.DataFrame, other: pl.DataFrame, before: np.ndarray, after: np.ndarray):
    return causes.rank(
        table, other, loss_reference=before, loss_current=after, report_columns=(), slices=()
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_slice_in_which_the_model_got_worse_comes_first(seed: int):
    table, before, _ = planted(seed)
    other, after, rng = planted(seed + 100)
    bad = (other["country"] == "FR").to_numpy()
    after[bad] = rng.random(int(bad.sum())) < 0.3
    found = ranked(table, other, before, after)
    assert found[0].name == "country = FR"
    assert found[0].share == pytest.approx(1, abs=0.15)
    assert not any(cause.name.startswith("noise") for cause in found)
    assert "loss 0.0" in found[0].text


def test_more_rows_of_a_hard_group_are_a_cause_too():
    rng = np.random.default_rng(0)
    sides = []
    for share in (0.1, 0.6):
        hard = rng.random(5000) < share
        loss = np.where(hard, rng.random(5000) < 0.5, rng.random(5000) < 0.05).astype(float)
        sides.append((pl.DataFrame({"hard": np.where(hard, "yes", "no")}), loss))
    (table, before), (other, after) = sides
    found = ranked(table, other, before, after)
    assert found[0].name == "hard = yes"
    assert "% of the rows" in found[0].text


def test_a_range_of_numbers_is_found():
    table, before, _ = planted(0)
    other, after, rng = planted(1)
    old = (other["age"] > 55).to_numpy()
    after[old] = rng.random(int(old.sum())) < 0.5
    assert ranked(table, other, before, after)[0].name.startswith("age above 5")


@pytest.mark.parametrize("seed", range(5))
def test_no_change_has_no_cause(seed: int):
    table, before, _ = planted(seed)
    other, after, _ = planted(seed + 50)
    assert ranked(table, other, before, after) == ()


def test_without_losses_drifted_columns_are_ranked_by_effect():
    columns = [
        ColumnReport("a", "numeric", "drift", reasons=("distribution",), effect=0.2, q=0.0),
        ColumnReport("b", "numeric", "drift", reasons=("distribution",), effect=0.6, q=0.0),
        ColumnReport("c", "numeric", "ok", effect=0.05, q=0.4),
        ColumnReport("p", "numeric", "drift", role="prediction", effect=0.9, q=0.0),
    ]
    empty = pl.DataFrame()
    found = causes.rank(
        empty, empty, loss_reference=None, loss_current=None, report_columns=columns, slices=()
    )
    assert [(c.name, round(c.share, 2)) for c in found] == [("b", 0.75), ("a", 0.25)]


def test_features_that_differ_by_row_are_skew():
    one = spec(skew=SkewSpec(Where(path="t"), "id", 1e-6, 0.01))
    training = pl.DataFrame(
        {"id": range(200), "a": [0.5] * 200, "b": ["x"] * 200, "c": [1.0] * 200, "d": [None] * 200}
    )
    serving = training.with_columns(
        a=pl.col("a") + 1e-9,
        b=pl.when(pl.col("id") < 60).then(pl.lit("y")).otherwise(pl.col("b")),
        c=pl.when(pl.col("id") == 0).then(None).otherwise(pl.col("c")),
    ).head(150)
    found = {f.column: f for f in skew.check(one, serving, training)}
    assert set(found) == {"b", "c"}
    assert found["b"].severity == "warning"
    assert "40.0% of 150 rows" in found["b"].text
    assert found["c"].severity == "info"
    texts = serving.with_columns(pl.col("id").cast(pl.String) + "")
    more = skew.check(
        one, pl.concat([texts, texts.with_columns(id=pl.lit("new")).head(1)]), training
    )
    assert more[0].code == "skew_unmatched"
    assert {f.column for f in more} == {"id", "b", "c"}


def log(rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, rows)
    return pl.DataFrame(
        {
            "id": range(rows),
            "prediction": (p > 0.5).astype(int),
            "p_1": p,
            "true": (rng.random(rows) < p).astype(int),
        }
    )


@pytest.mark.parametrize(("copied", "code"), [(0.0, "answered_rows"), (0.6, "feedback_loop")])
def test_targets_that_are_the_models_own_answers_are_a_loop(copied: float, code: str):
    table = log(2000, 1)
    rng = np.random.default_rng(2)
    own = rng.random(2000) < copied
    target = np.where(own, table["prediction"].to_numpy(), table["true"].to_numpy())
    training = pl.DataFrame({"id": table["id"], "y": target})
    one = spec(
        predictions=Predictions("prediction", {"1": "p_1"}),
        feedback=FeedbackSpec(Where(path="t"), "y", "id"),
    )
    found = feedback.check(one, table.drop("true"), training)
    assert [f.code for f in found] == [code]
    assert feedback.check(one, table.drop("true"), training.head(10)) == ()


def test_a_prediction_among_the_features_is_a_loop():
    one = spec(
        predictions=Predictions("prediction", {"1": "p_1"}),
        feedback=FeedbackSpec(Where(path="t"), "y"),
    )
    training = pl.DataFrame({"y": [1, 0], "p_1": [0.2, 0.3]})
    found = feedback.check(one, log(10, 0), training)
    assert [(f.code, f.column) for f in found] == [("feedback_loop", "p_1")]
