"""Maximum mean discrepancy: the distance of two distributions in the space of a kernel.

MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y) over distinct rows, unbiased, with the
Gaussian kernel whose width is the median distance (Gretton et al. 2012, "A kernel two-sample
test"). The value is its root, 0 where it is negative. The p-value is that of 1,000 permutations;
below what they can tell it is the tail of the gamma distribution with their mean, deviation and
skewness (Gretton et al. fit a gamma distribution, too).
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from mlctl.monitoring.drift._special import chi_square_sf
from mlctl.monitoring.joint._outcome import Array, Outcome

LIMIT = 0.1
_ROWS, _DRAWS = 750, 1000


def test(reference: Array, current: Array, groups: tuple[str, ...]) -> Outcome:
    """Raises ValueError where there is no column, or the rows are all alike."""
    del groups  # no column has a part of its own
    if not reference.shape[1]:
        raise ValueError("needs a column")
    a, b = _some(reference), _some(current)
    kernel = _kernel(np.vstack((a, b)))
    m, n = a.shape[0], b.shape[0]
    own = np.repeat([1.0, 0.0], [m, n])
    rng = np.random.Generator(np.random.PCG64(0))
    sides = np.column_stack([own, *(rng.permutation(own) for _ in range(_DRAWS))])
    found = _squares(kernel, sides, m, n)
    value, null = float(found[0]), found[1:]
    return Outcome(sqrt(max(0.0, value)), _p_value(value, null))


def unbiased(kernel: Array, m: int) -> float:
    """MMD^2 of the first `m` rows against the others; the kernel's diagonal is 0."""
    n = kernel.shape[0] - m
    own = np.repeat([1.0, 0.0], [m, n])[:, None]
    return float(_squares(kernel, own, m, n)[0])


def _squares(kernel: Array, sides: Array, m: int, n: int) -> Array:
    """MMD^2 for each column of `sides`, which marks the `m` rows of the one side."""
    image = kernel @ sides
    within = (sides * image).sum(axis=0)
    both = image.sum(axis=0)  # pairs with a row of the one side, either way
    whole = kernel.sum()
    between = both - within
    other = whole - within - 2 * between
    return np.asarray(within / (m * (m - 1)) + other / (n * (n - 1)) - 2 * between / (m * n))


def _kernel(rows: Array) -> Array:
    square = (rows**2).sum(axis=1)
    distance = np.maximum(square[:, None] + square[None, :] - 2 * rows @ rows.T, 0.0)
    middle = float(np.median(distance[np.triu_indices(rows.shape[0], 1)]))
    if middle <= 0:
        middle = float(distance.mean())
    if middle <= 0:
        raise ValueError("all rows are alike")
    kernel = np.exp(-distance / middle)
    np.fill_diagonal(kernel, 0.0)
    return np.asarray(kernel)


def _p_value(value: float, null: Array) -> float:
    exact = (1 + int((null >= value).sum())) / (1 + null.size)
    if exact > 10 / null.size:
        return exact
    mean, deviation = float(null.mean()), float(null.std())
    if deviation <= 0:
        return exact
    skew = max(float((((null - mean) / deviation) ** 3).mean()), 1e-3)
    shape = 4 / skew**2
    z = (value - mean) / deviation
    tail = chi_square_sf(2 * (shape + sqrt(shape) * z), 2 * shape)
    return min(exact, max(tail, 1e-12))


def _some(rows: Array) -> Array:
    if rows.shape[0] <= _ROWS:
        return rows
    return np.asarray(rows[np.linspace(0, rows.shape[0] - 1, _ROWS).astype(int)])
