"""Share of the current values whose category the reference does not have.

The arrays are the counts (in known categories, in new ones); the reference's second is 0. A new
category is an event of data quality: one row of a thousand is no drift, and yet an encoder may fail
on it. The p-value is that of the one-sided test of Fisher (1934) for the 2 x 2 table, exact where
the reference has none: P = C(known, new) / C(all, new) over the rows of both, that is the
probability that all of the `new` rows lie in the current data by chance.
"""

from __future__ import annotations

from math import exp, lgamma
from typing import Literal

from mlctl.monitoring.drift._measure import Array, Measure, check_counts

INPUT: Literal["samples", "counts"] = "counts"


def compute(reference: Array, current: Array) -> Measure:
    """The share, between 0 and 1, and the probability that it is chance."""
    check_counts(reference, current)
    n, m = float(reference.sum()), float(current.sum())
    new = float(current[reference == 0].sum())
    return Measure(new / m, min(1.0, exp(_log_choose(m, new) - _log_choose(n + m, new))))


def _log_choose(n: float, k: float) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
