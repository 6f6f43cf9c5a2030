"""Jensen-Shannon distance to base 2, with the divergence that chance alone gives taken off.

JSD = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in bits; its square root is a metric
between 0 and 1 (Lin 1991, "Divergence measures based on the Shannon entropy"; Endres and
Schindelin 2003). To second order JSD = sum (p - q)^2 / (8 p ln 2), so that two samples of one
distribution give a mean of (K - 1) (1/n + 1/m) / (8 ln 2), K being the categories that occur:
without taking it off, every column of many categories looks drifted.
"""

from __future__ import annotations

from math import log, sqrt
from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check_counts

INPUT: Literal["samples", "counts"] = "counts"


def divergence(reference: Array, current: Array) -> float:
    """JSD in bits of two rows of counts. Raises ValueError where a row is empty."""
    check_counts(reference, current)
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2
    total = 0.0
    for side in (p, q):
        some = side > 0
        total += float((side[some] * np.log2(side[some] / middle[some])).sum())
    return min(1.0, max(0.0, total / 2))


def compute(reference: Array, current: Array) -> Measure:
    """sqrt(max(0, JSD - its mean without drift)), without a p-value."""
    whole = divergence(reference, current)
    occurring = int(((reference + current) > 0).sum())
    by_chance = (occurring - 1) * (1 / reference.sum() + 1 / current.sum()) / (8 * log(2))
    return Measure(sqrt(max(0.0, whole - float(by_chance))))
