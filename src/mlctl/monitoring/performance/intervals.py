"""95 % intervals: Wilson for shares, DeLong for AUC, normal for means, bootstrap for the rest."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Interval = tuple[float, float]
Z = 1.959963984540054  # of the normal distribution, 97.5 %
_BLOCKS, _DRAWS = 1000, 400


def wilson(hits: float, n: float) -> Interval:
    """Of a share (Wilson 1927, "Probable inference, the law of succession")."""
    if n <= 0:
        return 0.0, 1.0
    p = hits / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_mean(values: Array) -> Interval:
    """Of a mean, by the central limit theorem."""
    mean = float(values.mean())
    half = Z * float(values.std(ddof=1)) / sqrt(values.size) if values.size > 1 else float("inf")
    return mean - half, mean + half


def hanley_mcneil(auc: float, positives: float, negatives: float) -> Interval:
    """Of an AUC from the numbers alone (Hanley and McNeil 1982)."""
    if min(positives, negatives) <= 0:
        return 0.0, 1.0
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    within = (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)
    error = sqrt(max(0.0, (auc * (1 - auc) + within) / (positives * negatives)))
    return max(0.0, auc - Z * error), min(1.0, auc + Z * error)


def delong(positive: Array, negative: Array) -> Interval:
    """Of an AUC (DeLong, DeLong and Clarke-Pearson 1988), by midranks (Sun and Xu 2014)."""
    m, n = positive.size, negative.size
    whole = midranks(np.concatenate((positive, negative)))
    v10 = (whole[:m] - midranks(positive)) / n
    v01 = 1 - (whole[m:] - midranks(negative)) / m
    auc = float(v10.mean())
    spread = _variance(v10) / m + _variance(v01) / n
    if not spread:  # all pairs are in order: as sure as so many rows can make it
        return wilson(auc * min(m, n), min(m, n))
    half = Z * sqrt(spread)
    return max(0.0, auc - half), min(1.0, auc + half)


def logit(value: float, n: float) -> Interval:
    """Of an average precision over `n` positives (Boyd, Eng and Page 2013)."""
    if not 0 < value < 1 or n <= 0:
        return wilson(value * n, n)
    centre, error = log(value / (1 - value)), 1 / sqrt(n * value * (1 - value))
    low, high = centre - Z * error, centre + Z * error
    return 1 / (1 + exp(-low)), 1 / (1 + exp(-high))


def bootstrap(sums: Array, statistic: Callable[[Array], Array]) -> Interval:
    """Of a statistic of sums over rows: `sums` is (rows, k), `statistic` maps (draws, k) to values.

    Rows are gathered into 1,000 blocks at most, and the blocks are drawn 400 times with a fixed
    seed (Efron 1979; of many rows, blocks of independent ones vary as the rows do).
    """
    n = sums.shape[0]
    blocks = min(n, _BLOCKS)
    edges = np.linspace(0, n, blocks + 1).astype(int)[:-1]
    gathered = np.add.reduceat(sums, edges, axis=0)
    rng = np.random.Generator(np.random.PCG64(0))
    weights = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=_DRAWS)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = statistic((weights @ gathered).astype(float))
    found = found[np.isfinite(found)]
    if found.size < _DRAWS // 2:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def midranks(values: Array) -> Array:
    """Ranks from 1, of equal values the mean of theirs."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.searchsorted(ordered, ordered, side="left")
    last = np.searchsorted(ordered, ordered, side="right")
    ranks = np.empty(values.size)
    ranks[order] = (first + last + 1) / 2
    return ranks


def _variance(values: Array) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.0
