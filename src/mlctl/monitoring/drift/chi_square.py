"""Chi-square test of homogeneity: could both rows of counts come from one distribution?

X2 = sum (O - E)^2 / E over the 2 x K table, K - 1 degrees of freedom, without Yates' correction
(Pearson 1900). Both rows are samples: taking the reference as exact would reject six times too
often. Categories that expect fewer than 5 in either row are pooled (Cochran 1954). The value is
Cramer's V with the bias correction of Bergsma (2013), between 0 and 1.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check_counts
from mlctl.monitoring.drift._special import chi_square_sf

INPUT: Literal["samples", "counts"] = "counts"
LEAST_EXPECTED = 5.0


def pooled(reference: Array, current: Array) -> tuple[Array, Array]:
    """Both rows with the rare categories added up, the pool last; empty categories are dropped."""
    total = reference + current
    smaller_share = min(reference.sum(), current.sum()) / total.sum()
    rare = total * smaller_share < LEAST_EXPECTED
    pool = total[rare].sum()
    if 0 < pool * smaller_share < LEAST_EXPECTED and (~rare).any():
        # The pool itself is too small: it takes in the rarest of the others.
        rare[np.flatnonzero(~rare)[np.argmin(total[~rare])]] = True
    rows = [np.append(side[~rare], side[rare].sum()) for side in (reference, current)]
    some = (rows[0] + rows[1]) > 0
    return rows[0][some], rows[1][some]


def compute(reference: Array, current: Array) -> Measure:
    """Cramer's V and the p-value; 0 and 1 where there is but one category."""
    check_counts(reference, current)
    first, second = pooled(reference, current)
    columns, n = first.size, float(first.sum() + second.sum())
    if columns < 2:
        return Measure(0.0, 1.0)
    table = np.vstack((first, second))
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    statistic = float(((table - expected) ** 2 / expected).sum())
    corrected = max(0.0, statistic / n - (columns - 1) / (n - 1))
    narrow = min(columns - (columns - 1) ** 2 / (n - 1), 2 - 1 / (n - 1)) - 1
    value = sqrt(corrected / narrow) if narrow > 0 else 0.0
    return Measure(min(1.0, value), chi_square_sf(statistic, columns - 1))
