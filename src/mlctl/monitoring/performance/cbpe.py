"""Confidence-based performance estimation: what a classifier's metrics are before labels come.

With honest probabilities p of each class, a row is of a class with probability p: metrics follow as
expectations (NannyML, "How CBPE works"; Białek et al. 2024, "Estimating model performance under
covariate shift without labels"). It sees a change of the inputs, and cannot see one of what the
inputs mean.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from mlctl.monitoring.performance import intervals
from mlctl.monitoring.performance.intervals import Interval, Z
from mlctl.monitoring.performance.metrics import Value
from mlctl.monitoring.performance.scored import UNKNOWN, Array, Codes

ASSUMPTION = (
    "CBPE assumes that what a score means has not changed (no concept drift): "
    "it sees that inputs changed, not that they mean something else now."
)


def estimate(metric: str, chances: Array, predicted: Codes, scores: Array) -> Value:
    """The expected metric of rows with calibrated `chances` (rows, classes)."""
    some = (predicted != UNKNOWN) & ~np.isnan(chances).any(axis=1)
    chances, predicted, scores = chances[some], predicted[some], scores[some]
    n = predicted.size
    if not n:
        return Value(None, note="no row has a score")
    if metric == "accuracy":
        right = chances[np.arange(n), predicted]
        return _of_chances(float(right.mean()), right)
    if metric in {"precision", "recall", "f1"}:
        return _of_counts(metric, chances, predicted)
    if metric == "roc_auc":
        return _of_auc(chances, scores)
    if metric == "log_loss":
        shares = np.clip(scores / scores.sum(axis=1, keepdims=True), 1e-15, 1 - 1e-15)
        return _of_losses((-chances * np.log(shares)).sum(axis=1))
    if metric == "brier":
        return _of_losses(_brier(chances, scores))
    return Value(None, note=f"CBPE does not estimate {metric}")


def expected_auc(chances: Array, scores: Array) -> float:
    """The AUC where each row is positive with its chance: pairs weighted by p (1 - p')."""
    order = np.argsort(scores, kind="stable")
    ordered, p = scores[order], chances[order]
    starts = np.append(0, np.flatnonzero(np.diff(ordered)) + 1)
    positive = np.add.reduceat(p, starts)
    negative = np.add.reduceat(1 - p, starts)
    below = np.concatenate(([0.0], np.cumsum(negative)[:-1]))
    pairs = positive.sum() * negative.sum()
    return float((positive * (below + negative / 2)).sum() / pairs) if pairs else float("nan")


def _of_auc(chances: Array, scores: Array) -> Value:
    classes = [1] if chances.shape[1] == 2 else range(chances.shape[1])
    values, lows, highs = [], [], []
    for code in classes:
        value = expected_auc(chances[:, code], scores[:, code])
        if not np.isfinite(value):
            return Value(None, note="a class is not to be expected at all")
        positives = float(chances[:, code].sum())
        low, high = intervals.hanley_mcneil(value, positives, chances.shape[0] - positives)
        values.append(value)
        lows.append(low)
        highs.append(high)
    return Value(float(np.mean(values)), float(np.mean(lows)), float(np.mean(highs)))


def _of_counts(metric: str, chances: Array, predicted: Codes) -> Value:
    """From expected counts; of more than two classes, the mean over those that are expected."""
    codes = [1] if chances.shape[1] == 2 else list(range(chances.shape[1]))
    found = []
    for code in codes:
        said, p = predicted == code, chances[:, code]
        tp, fn, all_said = float(p[said].sum()), float(p[~said].sum()), float(said.sum())
        spread = float((p * (1 - p))[said].sum()), float((p * (1 - p))[~said].sum())
        found.append(_ratio(metric, tp, fn, all_said, spread))
    if len(codes) == 1 and found[0].value is None:
        return found[0]
    known = [v for v in found if v.value is not None]
    if not known:
        return Value(None, note="no row is predicted to be of any class")
    value, low, high = (
        float(np.mean([getattr(v, end) for v in known])) for end in ("value", "low", "high")
    )
    return Value(value, low, high)


def _ratio(metric: str, tp: float, fn: float, said: float, spread: tuple[float, float]) -> Value:
    """The delta method: true positives and false negatives vary as sums of Bernoulli draws."""
    below = {"precision": said, "recall": tp + fn, "f1": said + tp + fn}[metric]
    if below <= 0:
        return Value(None, note="no row is predicted positive")
    top = 2 * tp if metric == "f1" else tp
    value = top / below
    if metric == "precision":
        slopes = (1 / said, 0.0)
    elif metric == "recall":
        slopes = (fn / below**2, -tp / below**2)
    else:
        slopes = ((2 * below - top) / below**2, -top / below**2)
    error = sqrt(slopes[0] ** 2 * spread[0] + slopes[1] ** 2 * spread[1])
    return Value(value, max(0.0, value - Z * error), min(1.0, value + Z * error))


def _of_chances(value: float, right: Array) -> Value:
    """The mean of independent Bernoulli draws, each of its own chance."""
    error = sqrt(float((right * (1 - right)).sum())) / right.size
    return Value(value, max(0.0, value - Z * error), min(1.0, value + Z * error))


def _of_losses(losses: Array) -> Value:
    ends: Interval = intervals.of_mean(losses)
    return Value(float(losses.mean()), *ends)


def _brier(chances: Array, scores: Array) -> Array:
    if chances.shape[1] == 2:
        p, s = chances[:, 1], scores[:, 1]
        return np.asarray(p * (1 - s) ** 2 + (1 - p) * s**2)
    both = chances * (1 - scores) ** 2 + (1 - chances) * scores**2
    return np.asarray(both.sum(axis=1))
