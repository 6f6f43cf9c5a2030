"""Kolmogorov-Smirnov: the largest distance between two empirical distribution functions.

D = max |F(x) - G(x)|, between 0 and 1. The p-value is that of the limiting distribution at
(sqrt(N) + 0.12 + 0.11 / sqrt(N)) D with N = nm / (n + m), which holds from N of about 4
(Stephens 1970, "Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without
extensive tables"). With ties, and on bins, it errs to the side of no drift.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np

from mlctl.monitoring.drift._measure import Array, Measure, check, check_counts, ordered
from mlctl.monitoring.drift._special import kolmogorov_sf

INPUT: Literal["samples", "counts"] = "samples"
_GRID = 16_384  # bins of a first look at large samples


def compute(reference: Array, current: Array) -> Measure:
    """D and its p-value. Raises ValueError where a sample is empty."""
    check(reference, current)
    first, second = ordered(reference), ordered(current)
    if min(first.size, second.size) <= 4 * _GRID:
        value = _largest(first, second, first.size, second.size, 0, 0)
    else:
        value = _refined(first, second)
    return Measure(value, p_value(value, first.size, second.size))


def of_counts(reference: Array, current: Array) -> tuple[Measure, float]:
    """D at the edges of common bins, and by how much at most it is too small.

    Within a bin, F and G lie between their values at its edges (the bound of the corners).
    """
    check_counts(reference, current)
    f, g = (np.cumsum(side) / side.sum() for side in (reference, current))
    value = float(np.abs(f - g).max())
    before = [np.concatenate(([0.0], side[:-1])) for side in (f, g)]
    most = float(np.maximum(f - before[1], g - before[0]).max())
    n, m = float(reference.sum()), float(current.sum())
    return Measure(value, p_value(value, n, m)), max(0.0, most - value)


def p_value(value: float, n: float, m: float) -> float:
    """P(D >= value) where both samples, of `n` and `m` values, are of one distribution."""
    root = sqrt(n * m / (n + m))
    return kolmogorov_sf((root + 0.12 + 0.11 / root) * value)


def _largest(first: Array, second: Array, n: int, m: int, below: int, under: int) -> float:
    """max |F - G| at the points of both; `below` and `under` values lie before them."""
    f = below + np.searchsorted(first, second, side="right")
    g = under + np.searchsorted(second, second, side="right")
    there = np.abs(f / n - g / m).max(initial=0.0)
    f = below + np.searchsorted(first, first, side="right")
    g = under + np.searchsorted(second, first, side="right")
    return float(max(there, np.abs(f / n - g / m).max(initial=0.0)))


def _refined(first: Array, second: Array) -> float:
    """The exact D of large sorted samples: only bins that can hold it are looked at closely."""
    n, m = first.size, second.size
    edges = np.unique(first[np.linspace(0, n - 1, _GRID).astype(int)])
    f_at = np.concatenate(([0], np.searchsorted(first, edges, side="right"), [n]))
    g_at = np.concatenate(([0], np.searchsorted(second, edges, side="right"), [m]))
    f, g = f_at / n, g_at / m
    value = float(np.abs(f - g).max())
    corners = np.maximum(f[1:] - g[:-1], g[1:] - f[:-1])
    for place in np.argsort(-corners):
        if corners[place] <= value:
            break
        i, j = f_at[place : place + 2], g_at[place : place + 2]
        found = _largest(first[i[0] : i[1]], second[j[0] : j[1]], n, m, int(i[0]), int(j[0]))
        value = max(value, found)
    return value
