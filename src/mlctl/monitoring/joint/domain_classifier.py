"""Domain classifier: can a model tell current rows from the reference's?

A logistic model (ridge, Newton's method) of the columns and their squares is trained on one half of
the rows and scored on the other: the value is its AUC there, the p-value that of the Mann-Whitney
test, which holds since the model has not seen these rows (classifier two-sample test; Lopez-Paz and
Oquab 2017, "Revisiting classifier two-sample tests"; Rabanser et al. 2019, "Failing loudly").
"""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from mlctl.monitoring.joint._encoding import narrowed
from mlctl.monitoring.joint._outcome import Array, Outcome, ranked
from mlctl.monitoring.performance.intervals import midranks

LIMIT = 0.6
_RIDGE, _STEPS = 1.0, 8
_SQUARES = 150  # columns up to which squares are taken, too


def test(reference: Array, current: Array, groups: tuple[str, ...]) -> Outcome:
    """Raises ValueError where there is no column."""
    if not reference.shape[1]:
        raise ValueError("needs a column")
    a, b, groups = narrowed(reference, current, groups)
    if a.shape[1] <= _SQUARES:
        a, b = np.hstack((a, a**2)), np.hstack((b, b**2))
        groups = groups + groups
    x = np.vstack((a[::2], b[::2]))
    y = np.concatenate((np.zeros(a[::2].shape[0]), np.ones(b[::2].shape[0])))
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    weights = _logistic((x - centre) / scale, y)
    scores = [((side[1::2] - centre) / scale) @ weights[1:] for side in (a, b)]
    m, n = scores[1].size, scores[0].size
    ranks = midranks(np.concatenate((scores[1], scores[0])))
    auc = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    z = (auc - 0.5) / sqrt((m + n + 1) / (12 * m * n))
    return Outcome(auc, erfc(z / sqrt(2)) / 2, ranked(np.abs(weights[1:]), groups))


def _logistic(x: Array, y: Array) -> Array:
    """The weights of a logistic model, the intercept first; sides of unlike size count alike."""
    design = np.hstack((np.ones((y.size, 1)), x))
    balance = np.where(y == 1, 0.5 / max(y.mean(), 1e-12), 0.5 / max(1 - y.mean(), 1e-12))
    ridge = np.full(design.shape[1], _RIDGE)
    ridge[0] = 1e-6
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curve = np.maximum(p * (1 - p), 1e-6) * balance
        gradient = design.T @ (balance * (y - p)) - ridge * weights
        step = np.linalg.solve((design * curve[:, None]).T @ design + np.diag(ridge), gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(weights)
