"""Baselines: small, without rows, with exact counts, and as good as the data within their error."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.errors import ConfigError, InvalidInput
from mlctl.monitoring import baseline
from mlctl.monitoring.compare import compare
from mlctl.monitoring.cuts import Period, PeriodCut
from mlctl.monitoring.results import DataRef
from mlctl.monitoring.spec import MonitorSpec, Thresholds
from monitoring.frames import Frame, compared, spec


def frame(rows: int, seed: int, shift: float = 0.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "normal": rng.normal(shift, 1e-5, rows) - 1234.5678,
            "skewed": rng.lognormal(0, 2, rows),
            "counts": rng.integers(0, 40, rows),
            "plan": rng.choice([f"a rather long name of plan {n}" for n in range(60)], rows),
            "code": rng.integers(0, 5, rows),
            "gone": [None if g else 1.5 for g in rng.random(rows) < 0.3],
            "user": [f"user {seed} {n}" for n in range(rows)],
        }
    )


def made(table: pl.DataFrame, one: MonitorSpec) -> baseline.Baseline:
    return baseline.make(one, [(name, "feature") for name in table.columns], Frame(table))


def against(base: baseline.Baseline, table: pl.DataFrame, one: MonitorSpec, season: str = ""):
    here = Frame(table)
    cut = PeriodCut(Period("p"), None, None, here.ref, season)
    columns = [(name, "feature") for name in base.columns]
    found = compare(one, columns, base, here, [cut], joint={})["p"]
    return {column.name: column for column in found.columns}


def test_a_column_takes_a_kilobyte_and_the_file_round_trips():
    base = made(frame(5000, 0), spec())
    text = baseline.text(base)
    lines = [line for line in text.splitlines() if line.startswith('  {"column"')]
    assert len(lines) == 7
    assert max(len(line.encode()) for line in lines) <= 1001  # and the comma
    assert baseline.text(baseline.parse(text, name="b")) == text
    assert "user 0" not in text


@given(
    st.lists(
        st.floats(-1e12, 1e12, allow_subnormal=False) | st.sampled_from([0.0, 1.0, 7.5]),
        min_size=1,
        max_size=300,
    )
)
@settings(max_examples=60, deadline=None)
def test_counts_are_exact_whatever_the_edges(values: list[float]):
    base = made(pl.DataFrame({"x": values}), spec(min_rows=1))
    line = next(line for line in baseline.text(base).splitlines() if '"column"' in line)
    assert len(line.strip().encode()) <= 1000
    column = base.columns["x"].numeric
    if column is None:
        return  # few whole values are categories
    ordered = np.sort(values)
    below = [int((ordered <= edge).sum()) for edge in column.edges.tolist()]
    assert np.cumsum(column.counts)[:-1].tolist() == below
    assert column.counts.sum() == len(values)


@pytest.mark.parametrize("shift", [0.0, 2e-6, 1e-5])
def test_ks_on_bins_is_within_its_stated_error(shift: float):
    one = spec(min_rows=100)
    there, here = frame(5000, 0), frame(2000, 1, shift)
    exact = {c.name: c for c in compared(there, here, one).columns}
    binned = against(made(there, one), here, one)
    for name in ("normal", "skewed", "counts"):
        a, b = exact[name], binned[name]
        assert a.effect is not None
        assert b.effect is not None
        assert b.effect <= a.effect + 1e-9  # it errs to the side of no drift
        assert a.effect <= b.effect + b.error + 1e-9
        assert b.error < 0.08
        assert a.missing == b.missing
    assert binned["code"].effect == pytest.approx(exact["code"].effect, abs=1e-12)
    assert binned["gone"].missing_q is not None


def test_limits_are_learned_from_parts_of_the_reference():
    rng = np.random.default_rng(5)
    drifting = np.repeat(np.linspace(0, 1, 20), 200) + rng.normal(size=4000)
    table = pl.DataFrame({"x": drifting, "y": rng.normal(size=4000)})
    base = made(table, spec(min_rows=100))
    learned = [base.columns[name].learned or 0 for name in "xy"]
    assert learned[0] > 2 * learned[1] > 0
    now = pl.DataFrame({"x": 0.85 + rng.normal(size=1000), "y": rng.normal(size=1000)})
    fixed = against(base, now, spec(min_rows=100))["x"]
    lenient = against(base, now, spec(Thresholds(learned=True), min_rows=100))["x"]
    assert (fixed.state, lenient.state) == ("drift", "ok")
    assert made(table.head(700), spec(min_rows=100)).columns["x"].learned is None


def test_seasons_are_kept_where_there_is_room():
    at = [datetime(2026, 5, 4) + timedelta(hours=n) for n in range(24 * 70)]
    x = [10.0 * moment.isoweekday() + moment.hour / 24 for moment in at]
    table = pl.DataFrame({"at": at, "x": x})
    one = spec(min_rows=100, time="at", season="weekday")
    base = baseline.make(one, [("x", "feature")], Frame(table))
    again = baseline.parse(baseline.text(base), name="b")
    mondays = pl.DataFrame({"x": [10 + n / 120 for n in range(120)]})
    assert against(again, mondays, one, "monday")["x"].state == "ok"
    assert against(again, mondays, one, "sunday")["x"].state == "drift"
    assert against(again, mondays, one, "")["x"].state == "drift"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not a record"),
        ('{"schema": "mlctl.baseline/2"}', "newer"),
        ('{"schema": "mlctl.baseline/1"}', "KeyError"),
    ],
)
def test_what_is_no_baseline_is_refused(text: str, says: str):
    with pytest.raises(ConfigError, match=says):
        baseline.parse(text, name="b.json")


def test_edges_and_counts_that_do_not_match_are_refused():
    data = json.loads(baseline.text(made(pl.DataFrame({"x": [0.5, 1.5, 2.5]}), spec(min_rows=1))))
    data["columns"][0]["counts"].pop()
    with pytest.raises(ConfigError, match="do not match"):
        baseline.parse(json.dumps(data), name="b.json")


def test_no_rows_make_no_baseline():
    source = Frame(pl.DataFrame({"x": []}, schema={"x": pl.Float64}))
    source.ref = DataRef("empty", 1, 0, "")
    with pytest.raises(InvalidInput, match="has no rows"):
        baseline.make(spec(), [("x", "feature")], source)
