"""Share of the current values whose category the reference does not have.

A new category is an event of data quality rather than a verdict of drift: one row of a thousand is
no drift, and yet an encoder may fail on it. So it has no test of its own.
"""

from __future__ import annotations

from typing import Literal

from mlctl.monitoring.drift._measure import Array, Measure, check_counts

INPUT: Literal["samples", "counts"] = "counts"


def compute(reference: Array, current: Array) -> Measure:
    """The share, between 0 and 1, without a p-value."""
    check_counts(reference, current)
    return Measure(float(current[reference == 0].sum() / current.sum()))
