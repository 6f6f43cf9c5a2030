"""Probabilities made honest: isotonic regression, where it helps on rows that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
KNOTS = 64  # of a curve, at most
_BINS, _FOLDS = 10, 3


@dataclass(frozen=True, slots=True)
class Curve:
    """Maps a score to a probability: linear between the knots (x, y). No knots: as it is."""

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    error: float = 0.0  # expected calibration error on rows that the curve has not seen

    def __call__(self, scores: Array) -> Array:
        if not self.x:
            return scores
        return np.interp(scores, self.x, self.y)


def calibrated(scores: Array, truth: Array) -> Curve:
    """The curve for `scores` of rows that are (1) or are not (0) of a class.

    Isotonic regression is taken only where it lowers the expected calibration error in three-fold
    cross-validation (Niculescu-Mizil and Caruana 2005; NannyML does so, too).
    """
    if scores.size < 10 * _FOLDS or truth.min() == truth.max():
        return Curve(error=ece(scores, truth))
    folds = np.arange(scores.size) % _FOLDS
    seen = np.empty(scores.size)
    for fold in range(_FOLDS):
        x, y = isotonic(scores[folds != fold], truth[folds != fold])
        seen[folds == fold] = np.interp(scores[folds == fold], x, y)
    before, after = ece(scores, truth), ece(seen, truth)
    if after >= before:
        return Curve(error=before)
    x, y = _thinned(*isotonic(scores, truth))
    return Curve(tuple(x.tolist()), tuple(y.tolist()), after)


def ece(scores: Array, truth: Array) -> float:
    """Expected calibration error: the mean distance of score and share over ten equal bins."""
    place = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    place = np.maximum(place, 0)
    count = np.bincount(place, minlength=_BINS)
    gap = np.bincount(place, weights=truth - scores, minlength=_BINS)
    return float(np.abs(gap[count > 0]).sum() / scores.size)


def isotonic(scores: Array, truth: Array) -> tuple[Array, Array]:
    """The increasing step function closest to `truth`: pool adjacent violators (Barlow 1972).

    Knots (x, y) at the ends of each step; equal scores are one point.
    """
    points, place = np.unique(scores, return_inverse=True)
    weight = np.bincount(place).astype(float)
    level = np.bincount(place, weights=truth) / weight
    means: list[float] = []
    weights: list[float] = []
    sizes: list[int] = []
    for value, heavy in zip(level.tolist(), weight.tolist(), strict=True):
        means.append(value)
        weights.append(heavy)
        sizes.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            total = weights[-2] + weights[-1]
            means[-2] = (means[-2] * weights[-2] + means[-1] * weights[-1]) / total
            weights[-2] = total
            sizes[-2] += sizes[-1]
            del means[-1], weights[-1], sizes[-1]
    fitted = np.repeat(means, sizes)
    step = np.flatnonzero(np.diff(fitted))
    kept = np.unique(np.concatenate(([0], step, step + 1, [points.size - 1])))
    return points[kept], fitted[kept]


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    if x.size <= KNOTS:
        return x, y
    places = np.unique(np.linspace(0, x.size - 1, KNOTS).round().astype(int))
    return x[places], y[places]
