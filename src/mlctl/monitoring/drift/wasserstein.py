"""Wasserstein-1 over the reference's deviation: how far values moved, in standard deviations.

W = integral |F(x) - G(x)| dx, divided by the reference's standard deviation (of the population,
ddof 0), so that it does not depend on the unit (Ramdas, Garcia Trillos and Cuturi 2017, "On
Wasserstein two-sample testing and related families of nonparametric tests"). Where the reference
is constant the ratio has no meaning and the value is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check

INPUT: Literal["samples", "counts"] = "samples"


def compute(reference: Array, current: Array) -> Measure:
    """W / std(reference), without a p-value. Raises ValueError where a sample is empty."""
    check(reference, current)
    first, second = np.sort(reference), np.sort(current)
    with np.errstate(over="ignore", invalid="ignore"):
        return _ratio(first, second)


def _ratio(first: Array, second: Array) -> Measure:
    deviation = float(first.std())
    # A constant column of floats has a deviation of rounding errors, not of data.
    if deviation <= 1e-12 * max(abs(first[0]), abs(first[-1])):
        return Measure(float("nan"))
    both = np.sort(np.concatenate((first, second)))
    places = both[:-1]
    distance = np.abs(
        np.searchsorted(first, places, side="right") / first.size
        - np.searchsorted(second, places, side="right") / second.size
    )
    return Measure(float((distance * np.diff(both)).sum()) / deviation)
