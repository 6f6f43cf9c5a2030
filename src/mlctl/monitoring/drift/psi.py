"""Population stability index, with the mean that it has without any drift taken off.

PSI = sum (p - q) ln(p / q) over bins, p and q smoothed as (count + 1/2) / (n + B/2), so that an
empty bin stays finite. Without drift its mean is about (B - 1) (1/n + 1/m) (Yurdakul and Naranjo
2020, "Statistical properties of the population stability index"), which for small samples alone
passes the customary limits of 0.1 and 0.25; the value is max(0, PSI - that mean).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check_counts

INPUT: Literal["samples", "counts"] = "counts"


def raw(reference: Array, current: Array) -> float:
    """PSI of two rows of counts, nothing taken off. Raises ValueError where a row is empty."""
    check_counts(reference, current)
    bins = reference.size
    p = (reference + 0.5) / (reference.sum() + 0.5 * bins)
    q = (current + 0.5) / (current.sum() + 0.5 * bins)
    return float(((p - q) * np.log(p / q)).sum())


def compute(reference: Array, current: Array) -> Measure:
    """PSI above its mean without drift; without a p-value."""
    whole = raw(reference, current)
    by_chance = (reference.size - 1) * (1 / reference.sum() + 1 / current.sum())
    return Measure(max(0.0, whole - float(by_chance)))
