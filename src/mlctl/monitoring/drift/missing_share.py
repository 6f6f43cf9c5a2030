"""Change of the share of missing values.

The arrays are the counts (present, missing). The value is the absolute difference of the shares.
The p-value is that of the two-sided two-proportion z test with pooled variance, which is Pearson's
chi-square of the 2 x 2 table, here with the continuity correction of Yates (1934): missing values
are often few, and it then errs to the side of no drift.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check_counts
from mlctl.monitoring.drift._special import chi_square_sf

INPUT: Literal["samples", "counts"] = "counts"


def compute(reference: Array, current: Array) -> Measure:
    """The difference of the shares and its p-value; the latter is 1 where nothing is missing."""
    check_counts(reference, current)
    table = np.vstack((reference, current))
    n = table.sum()
    shares = table[:, 1] / table.sum(axis=1)
    value = float(abs(shares[0] - shares[1]))
    margins = float(table.sum(axis=0).prod() * table.sum(axis=1).prod())
    if margins == 0:  # all or none of the values are missing, on both sides
        return Measure(value, 1.0)
    cross = abs(float(table[0, 0] * table[1, 1] - table[0, 1] * table[1, 0]))
    statistic = float(n) * max(0.0, cross - float(n) / 2) ** 2 / margins
    return Measure(value, chi_square_sf(statistic, 1))
