"""The whole judgement stays calm without drift, and sees one that matters."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from monitoring.frames import compared, spec

SHARES = [0.4, 0.2, 0.15, 0.1, 0.08, 0.04, 0.02, 0.01]


def table(rng: np.random.Generator, rows: int, columns: int = 30) -> pl.DataFrame:
    """Columns of every kind: normal, skewed, discrete, categories, some values missing."""
    data: dict[str, object] = {}
    for at in range(columns):
        kind = at % 5
        if kind == 0:
            values: np.ndarray = rng.normal(size=rows)
        elif kind == 1:
            values = rng.lognormal(0, 1.5, rows)
        elif kind == 2:
            values = rng.poisson(30, rows)
        elif kind == 3:
            values = rng.choice(
                [*"abcdefgh"], rows, p=[0.4, 0.2, 0.15, 0.1, 0.08, 0.04, 0.02, 0.01]
            )
        else:
            values = np.where(rng.random(rows) < 0.1, np.nan, rng.exponential(1, rows))
        data[f"c{at:02}"] = values
    return pl.DataFrame(data)


@pytest.mark.parametrize(("rows", "periods"), [(500, 200), (1000, 100), (10_000, 20)])
def test_false_alarms_are_as_rare_as_promised(rows: int, periods: int):
    """An expected 0.5 % of periods at most: more alarms than chance allows for fail.

    All 1,000 periods of each size are in the benchmark.
    """
    rng = np.random.default_rng(rows)
    alarms = 0
    for _ in range(periods):
        found = compared(table(rng, rows), table(rng, rows), spec(min_rows=100))
        alarms += any(column.state == "drift" for column in found.columns)
    assert stats.binom.sf(alarms - 1, periods, 0.005) > 1e-3, alarms


def test_half_a_deviation_in_one_of_fifty_columns_is_found():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(25):
        reference, first, second = (
            {f"x{at}": rng.normal(size=1000) for at in range(50)} for _ in range(3)
        )
        found = []
        for side in (first, second):
            side["x17"] = side["x17"] + 0.5
            one = compared(pl.DataFrame(reference), pl.DataFrame(side), spec(min_rows=100))
            found.append([c.name for c in one.columns if c.state == "drift"])
        hits += any(names == ["x17"] for names in found)
    assert hits >= 24
