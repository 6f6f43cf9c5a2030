"""Histograms as numpy and both tools make them."""

from __future__ import annotations

from math import log

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]


def values(column: pl.Series) -> Array:
    """The numbers of a column, those that are none left out."""
    found = column.cast(pl.Float64, strict=False).to_numpy().astype(float)
    return np.asarray(found[np.isfinite(found)])


def shares(column: pl.Series, labels: list[str]) -> Array:
    """The share of each label among the values."""
    counts = column.cast(pl.String, strict=False).drop_nulls().alias("value").value_counts(name="n")
    known = dict(zip(counts["value"].to_list(), counts["n"].to_list(), strict=True))
    total = sum(known.values())
    return np.array([known.get(label, 0) / total if total else 0.0 for label in labels])


def labels(*columns: pl.Series) -> list[str]:
    """All values of the columns as text, sorted."""
    seen: set[str] = set()
    for column in columns:
        seen |= set(column.cast(pl.String, strict=False).drop_nulls().unique().to_list())
    return sorted(seen)


def jensen_shannon(p: Array, q: Array, base: float | None) -> float:
    """The distance, as `scipy.spatial.distance.jensenshannon`; base e where None."""
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    total = 0.0
    for side in (p, q):
        some = side > 0
        total += float((side[some] * np.log(side[some] / middle[some])).sum())
    return float(np.sqrt(max(0.0, total / 2 / (log(base) if base else 1.0))))
