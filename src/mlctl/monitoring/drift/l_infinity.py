"""L-infinity: the largest change of the share of one category or bin, between 0 and 1.

As TensorFlow Data Validation has it (Breck et al. 2019, "Data validation for machine learning").
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check_counts

INPUT: Literal["samples", "counts"] = "counts"


def compute(reference: Array, current: Array) -> Measure:
    """max |p - q|, without a p-value."""
    check_counts(reference, current)
    return Measure(float(np.abs(reference / reference.sum() - current / current.sum()).max()))
