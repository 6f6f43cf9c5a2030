"""Drift metrics: one file each, pure functions of two samples.

A metric is a module with the members of `Metric`. `compute` takes two arrays whose meaning `INPUT`
tells: `samples` are values without missing ones, of any length and order; `counts` are the counts
of the same bins or categories in the reference and in the current data. They are never changed.
"""

from __future__ import annotations

from typing import Literal, Protocol

from mlctl.monitoring.drift._measure import Array as Array
from mlctl.monitoring.drift._measure import Measure as Measure


class Metric(Protocol):
    """What a drift metric's module offers."""

    @property
    def INPUT(self) -> Literal["samples", "counts"]:  # noqa: N802
        """What `compute` is given."""

    def compute(self, reference: Array, current: Array) -> Measure:
        """How far apart the two are. Raises ValueError where either is empty."""
