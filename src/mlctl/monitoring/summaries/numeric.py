"""Numbers: exact values while they are few enough, counts in the reference's bins always.

The bins are the reference's quantiles with ties merged: `edges` ascending, `counts` one more than
edges. Bin i holds the values in (edges[i-1], edges[i]], the first all up to edges[0], the last all
above the last edge, so that counts are exact whatever the edges are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlctl.monitoring.drift import Array

PSI_BINS = 10
PLOT_BINS = 10
FINE = 512  # bins where values are too many to be compared one by one
EXACT = 4_000_000  # values, of both sides together, that are compared one by one


@dataclass(frozen=True, slots=True)
class Numeric:
    """A column of numbers. `values` are sorted, None where only the counts are known.

    `rows` counts all rows, `missing` those without a finite number.
    """

    rows: int
    missing: int
    edges: Array
    counts: Array
    low: float
    high: float
    mean: float
    deviation: float
    values: Array | None = None

    @property
    def present(self) -> int:
        """The number of values."""
        return self.rows - self.missing


def edges_of(values: Array, bins: int) -> Array:
    """The quantiles of sorted values, ties merged, with the ends: at most `bins` + 1 edges.

    The outermost bins are underflow and overflow, which the reference itself has none of.
    """
    if not values.size:
        return np.empty(0)
    # By rank, not interpolated: an edge is a value, so that all of a tie are on one side of it.
    places = np.ceil(np.arange(1, bins + 1) * values.size / bins).astype(int) - 1
    return np.unique(np.append(values[places], np.nextafter(values[0], -np.inf)))


def counted(values: Array, edges: Array) -> Array:
    """How many sorted `values` lie in each bin of `edges`."""
    places = np.searchsorted(values, edges, side="right")
    return np.diff(np.concatenate(([0], places, [values.size]))).astype(float)


def summarise(values: Any, edges: Array | None, *, rows: int, bins: int = FINE) -> Numeric:
    """The summary of finite `values` in any order; `edges` are the reference's, None to make them.

    `rows` are all rows, those without a value included.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if edges is None:
        edges = edges_of(ordered, bins)
    n = ordered.size
    if not n:
        empty = np.zeros(edges.size + 1)
        return Numeric(rows, rows, edges, empty, 0.0, 0.0, 0.0, 0.0, ordered)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(ordered.mean()), float(ordered.std())
    return Numeric(
        rows, rows - n, edges, counted(ordered, edges), float(ordered[0]), float(ordered[-1]),
        mean, deviation, ordered,
    )  # fmt: skip


def coarse(counts: Array, reference: Array, bins: int = PSI_BINS) -> Array:
    """`counts` of fine bins gathered into about `bins`, of like size in the `reference`."""
    if counts.size <= bins:
        return counts
    shares = np.cumsum(reference) / reference.sum()
    group = np.minimum((shares * bins - 1e-9).astype(int), bins - 1)
    gathered = np.bincount(group, weights=counts, minlength=bins)
    kept = np.bincount(group, minlength=bins) > 0
    return np.asarray(gathered[kept], dtype=float)


def plot_bins(reference: Numeric, current: Numeric) -> tuple[Array, Array, tuple[float, float]]:
    """Counts of both sides in ten equal bins between the 0.5 % and 99.5 % quantiles of both."""
    low = min(_quantile(reference, 0.005), _quantile(current, 0.005))
    high = max(_quantile(reference, 0.995), _quantile(current, 0.995))
    low, high = max(-1e300, low), min(1e300, high)  # beyond, the width of a bin would overflow
    if high <= low:
        high = low + (abs(low) * 1e-9 or 1.0)
    inner = np.linspace(low, high, PLOT_BINS + 1)[1:-1]
    sides = [_spread(side, inner) for side in (reference, current)]
    return sides[0], sides[1], (low, high)


def _quantile(side: Numeric, q: float) -> float:
    if side.values is not None:
        return float(side.values[round(q * (side.values.size - 1))])  # they are sorted
    points = np.concatenate(([side.low], side.edges, [side.high]))
    shares = np.concatenate(([0.0], np.cumsum(side.counts) / side.counts.sum()))
    return float(np.interp(q, shares, points))


def _spread(side: Numeric, inner: Array) -> Array:
    """Counts between the `inner` edges; of bins, each is spread evenly over its width."""
    if side.values is not None:
        return counted(side.values, inner)
    points = np.maximum.accumulate(np.concatenate(([side.low], side.edges, [side.high])))
    shares = np.concatenate(([0.0], np.cumsum(side.counts)))
    below = np.interp(inner, points, shares)
    return np.asarray(np.diff(np.concatenate(([0.0], below, [shares[-1]]))), dtype=float)
