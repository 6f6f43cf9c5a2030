"""Kolmogorov-Smirnov: the largest distance between two empirical distribution functions.

D = max |F(x) - G(x)|, between 0 and 1. The p-value is that of the limiting distribution at
(sqrt(N) + 0.12 + 0.11 / sqrt(N)) D with N = nm / (n + m), which holds from N of about 4
(Stephens 1970, "Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without
extensive tables"). With ties it errs to the side of no drift.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check
from mlctl.monitoring.drift._special import kolmogorov_sf

INPUT: Literal["samples", "counts"] = "samples"


def compute(reference: Array, current: Array) -> Measure:
    """D and its p-value. Raises ValueError where a sample is empty."""
    check(reference, current)
    first, second = np.sort(reference), np.sort(current)
    both = np.concatenate((first, second))
    distance = np.abs(
        np.searchsorted(first, both, side="right") / first.size
        - np.searchsorted(second, both, side="right") / second.size
    )
    value = float(distance.max())
    root = sqrt(first.size * second.size / (first.size + second.size))
    return Measure(value, kolmogorov_sf((root + 0.12 + 0.11 / root) * value))
