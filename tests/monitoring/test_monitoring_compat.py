"""What Evidently and NannyML say, number for number; theirs are in compat_numbers.json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from mlctl.monitoring.compat import _exact_ks, compare
from monitoring import compat_frames as frames

THEIRS = json.loads((Path(__file__).parent / "compat_numbers.json").read_text())


@pytest.mark.parametrize("case", frames.CASES, ids=lambda case: f"{case[0]} rows")
def test_evidentlys_numbers(case: tuple[int, int, int, float]):
    reference, current = map(pl.DataFrame, frames.sides(*case))
    found = compare("evidently", reference, current, frames.COLUMNS)
    for column in found.columns:
        expected = THEIRS["evidently"][str(case[2])][column.name]
        assert column.value == pytest.approx(expected, abs=1e-9), column


@pytest.mark.parametrize("case", frames.CASES, ids=lambda case: f"{case[0]} rows")
def test_nannymls_numbers_and_limits(case: tuple[int, int, int, float]):
    reference, current = map(pl.DataFrame, frames.sides(*case))
    found = compare("nannyml", reference, current, frames.COLUMNS)
    for column in found.columns:
        value, limit = THEIRS["nannyml"][str(case[2])][column.name]
        assert column.value == pytest.approx(value, abs=1e-9), column
        assert column.limit == pytest.approx(limit, abs=1e-9), column


@pytest.mark.parametrize(("n", "m"), [(3, 5), (20, 20), (90, 31), (300, 400)])
def test_the_exact_p_value_is_scipys(n: int, m: int):
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.3, 2.0):
        a, b = rng.normal(size=n).round(1), rng.normal(shift, size=m).round(1)
        assert _exact_ks.p_value(a, b) == pytest.approx(
            stats.ks_2samp(a, b, method="exact").pvalue, abs=1e-9
        )


@pytest.mark.parametrize("tool", ["evidently", "nannyml"])
def test_odd_columns_stop_nothing(tool: str):
    table = pl.DataFrame(
        {
            "gone": pl.Series([None] * 50, dtype=pl.Float64),
            "constant": [1.0] * 50,
            "one": ["a"] * 50,
            "flag": [True, False] * 25,
        }
    )
    found = compare(tool, table, table, table.columns)  # type: ignore[arg-type]
    assert not found.drift
    assert found.columns[0].value is None
