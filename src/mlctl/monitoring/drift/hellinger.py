"""Hellinger distance: sqrt(1 - sum sqrt(p q)) of two rows of shares, between 0 and 1.

Hellinger (1909), "Neue Begründung der Theorie quadratischer Formen von unendlichvielen
Veränderlichen". Without drift its square is about (K - 1) (1/n + 1/m) / 8, which is taken off.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check_counts

INPUT: Literal["samples", "counts"] = "counts"


def raw(reference: Array, current: Array) -> float:
    """The distance, nothing taken off. Raises ValueError where a row is empty."""
    check_counts(reference, current)
    p, q = reference / reference.sum(), current / current.sum()
    return sqrt(max(0.0, 1.0 - float(np.sqrt(p * q).sum())))


def compute(reference: Array, current: Array) -> Measure:
    """sqrt(max(0, H^2 - its mean without drift)), without a p-value."""
    square = raw(reference, current) ** 2
    occurring = int(((reference + current) > 0).sum())
    by_chance = (occurring - 1) * (1 / reference.sum() + 1 / current.sum()) / 8
    return Measure(sqrt(max(0.0, square - float(by_chance))))
