"""Wasserstein-1 over the reference's deviation: how far values moved, in standard deviations.

W = integral |F(x) - G(x)| dx = integral |Q_F(u) - Q_G(u)| du, divided by the reference's standard
deviation (of the population, ddof 0), so that it does not depend on the unit (Ramdas, Garcia
Trillos and Cuturi 2017, "On Wasserstein two-sample testing and related families of nonparametric
tests"). Where the reference is constant the ratio has no meaning and the value is NaN.

Samples of more than `EXACT` values and of unlike sizes are compared at 65,536 quantiles.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check, ordered

INPUT: Literal["samples", "counts"] = "samples"
EXACT = 200_000
_QUANTILES = 65_536


def compute(reference: Array, current: Array) -> Measure:
    """W / std(reference), without a p-value. Raises ValueError where a sample is empty."""
    check(reference, current)
    first, second = ordered(reference), ordered(current)
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = float(first.std())
        # A constant column of floats has a deviation of rounding errors, not of data.
        if deviation <= 1e-12 * max(abs(first[0]), abs(first[-1])):
            return Measure(float("nan"))
        return Measure(distance(first, second) / deviation)


def distance(first: Array, second: Array) -> float:
    """W of two sorted samples, in their unit."""
    if first.size == second.size:
        return float(np.abs(first - second).mean())
    if first.size + second.size > EXACT:
        u = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        sides = [side[(u * side.size).astype(np.int64)] for side in (first, second)]
        return float(np.abs(sides[0] - sides[1]).mean())
    both = np.sort(np.concatenate((first, second)))
    places = both[:-1]
    distance = np.abs(
        np.searchsorted(first, places, side="right") / first.size
        - np.searchsorted(second, places, side="right") / second.size
    )
    return float((distance * np.diff(both)).sum())
