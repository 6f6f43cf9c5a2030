"""Realised metrics with their intervals, as scikit-learn defines them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from mlctl.monitoring.performance import intervals
from mlctl.monitoring.performance.intervals import Interval
from mlctl.monitoring.performance.scored import Array, Classified, Regressed, Scored


@dataclass(frozen=True, slots=True)
class Value:
    """A metric with its 95 % interval; `note` says why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """`better` is the direction that people want; `compute` takes rows whose truth is known."""

    better: Literal["higher", "lower"]
    compute: Callable[[Scored], Value]


def accuracy(rows: Classified) -> Value:
    hits, n = float((rows.truth == rows.predicted).sum()), rows.truth.size
    return Value(hits / n, *intervals.wilson(hits, n))


def precision(rows: Classified) -> Value:
    return _of_counts(rows, lambda tp, fp, _fn: tp / (tp + fp), "no row is predicted positive")


def recall(rows: Classified) -> Value:
    return _of_counts(rows, lambda tp, _fp, fn: tp / (tp + fn), "no row is positive")


def f1(rows: Classified) -> Value:
    return _of_counts(rows, lambda tp, fp, fn: 2 * tp / (2 * tp + fp + fn), "no row is positive")


def roc_auc(rows: Classified) -> Value:
    """Of two classes the area under the ROC curve, of more the mean over one against the rest."""
    if rows.scores is None:
        return Value(None, note="needs the scores of the classes")
    if len(rows.classes) == 2:
        sides = _sides(rows, 1)
        if sides is None:
            return Value(None, note="all labels are of one class")
        return Value(auc(*sides), *intervals.delong(*sides))
    found = [side for code in range(len(rows.classes)) if (side := _sides(rows, code))]
    if len(found) < len(rows.classes):
        return Value(None, note="a class does not occur")
    values = [auc(*side) for side in found]
    widths = [intervals.delong(*side) for side in found]
    # One against the rest: the errors of the classes hang together, so they are not averaged out.
    low, high = (float(np.mean([w[end] for w in widths])) for end in (0, 1))
    return Value(float(np.mean(values)), low, high)


def average_precision(rows: Classified) -> Value:
    if rows.scores is None or len(rows.classes) != 2:
        return Value(None, note="needs the scores of two classes")
    truth = rows.truth == 1
    if not truth.any():
        return Value(None, note="no row is positive")
    score = rows.scores[:, 1]
    order = np.argsort(-score, kind="stable")
    ordered, hits = score[order], np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(ordered)), truth.size - 1)  # of each tie
    tp = hits[last].astype(float)
    share = np.diff(np.append(0.0, tp)) / truth.sum()
    value = float((share * tp / (last + 1)).sum())
    return Value(value, *intervals.logit(value, float(truth.sum())))


def log_loss(rows: Classified) -> Value:
    losses = log_losses(rows)
    if losses is None:
        return Value(None, note="needs the scores of the classes")
    return Value(float(losses.mean()), *intervals.of_mean(losses))


def brier(rows: Classified) -> Value:
    """Of two classes the mean of (p - y)^2 of the positive one, of more the sum over classes."""
    if rows.scores is None:
        return Value(None, note="needs the scores of the classes")
    if len(rows.classes) == 2:
        losses = (rows.scores[:, 1] - (rows.truth == 1)) ** 2
    else:
        truth = rows.truth[:, None] == np.arange(len(rows.classes))
        losses = ((rows.scores - truth) ** 2).sum(axis=1)
    return Value(float(losses.mean()), *intervals.of_mean(losses))


def mae(rows: Regressed) -> Value:
    losses = np.abs(rows.truth - rows.predicted)
    return Value(float(losses.mean()), *intervals.of_mean(losses))


def mse(rows: Regressed) -> Value:
    losses = (rows.truth - rows.predicted) ** 2
    return Value(float(losses.mean()), *intervals.of_mean(losses))


def rmse(rows: Regressed) -> Value:
    found = mse(rows)
    value, low, high = (sqrt(max(0.0, end or 0.0)) for end in (found.value, found.low, found.high))
    return Value(value, low, high)


def mape(rows: Regressed) -> Value:
    losses = np.abs(rows.truth - rows.predicted) / np.maximum(np.abs(rows.truth), _EPSILON)
    return Value(float(losses.mean()), *intervals.of_mean(losses))


def bias(rows: Regressed) -> Value:
    """The mean of prediction - truth."""
    errors = rows.predicted - rows.truth
    return Value(float(errors.mean()), *intervals.of_mean(errors))


def r2(rows: Regressed) -> Value:
    spread = ((rows.truth - rows.truth.mean()) ** 2).sum()
    if spread == 0:
        return Value(None, note="the truth is constant")
    value = 1 - float(((rows.truth - rows.predicted) ** 2).sum() / spread)
    centred = (
        rows.truth - rows.truth.mean()
    )  # about its mean: the sums of squares keep their digits
    sums = np.column_stack(
        (np.ones(centred.size), centred, centred**2, (rows.truth - rows.predicted) ** 2)
    )

    def of(drawn: Array) -> Array:
        return 1 - drawn[:, 3] / (drawn[:, 2] - drawn[:, 1] ** 2 / drawn[:, 0])

    return Value(value, *intervals.bootstrap(sums, of))


_EPSILON = float(np.finfo(np.float64).eps)
CLASSIFICATION: dict[str, Metric] = {
    "accuracy": Metric("higher", accuracy),  # type: ignore[arg-type]
    "precision": Metric("higher", precision),  # type: ignore[arg-type]
    "recall": Metric("higher", recall),  # type: ignore[arg-type]
    "f1": Metric("higher", f1),  # type: ignore[arg-type]
    "roc_auc": Metric("higher", roc_auc),  # type: ignore[arg-type]
    "average_precision": Metric("higher", average_precision),  # type: ignore[arg-type]
    "log_loss": Metric("lower", log_loss),  # type: ignore[arg-type]
    "brier": Metric("lower", brier),  # type: ignore[arg-type]
}
REGRESSION: dict[str, Metric] = {
    "mae": Metric("lower", mae),  # type: ignore[arg-type]
    "mse": Metric("lower", mse),  # type: ignore[arg-type]
    "rmse": Metric("lower", rmse),  # type: ignore[arg-type]
    "mape": Metric("lower", mape),  # type: ignore[arg-type]
    "r2": Metric("higher", r2),  # type: ignore[arg-type]
    "bias": Metric("lower", bias),  # type: ignore[arg-type]
}
METRICS = {"classification": CLASSIFICATION, "regression": REGRESSION}


def auc(positive: Array, negative: Array) -> float:
    """P(score of a positive > score of a negative) + half of P(equal) (Mann and Whitney 1947)."""
    ranks = intervals.midranks(np.concatenate((positive, negative)))
    m, n = positive.size, negative.size
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def log_losses(rows: Classified) -> Array | None:
    """-ln of the probability of what came true, of each row; None without scores."""
    if rows.scores is None:
        return None
    eps = np.finfo(rows.scores.dtype).eps
    given = rows.scores[np.arange(rows.truth.size), rows.truth]
    return np.asarray(-np.log(np.clip(given / rows.scores.sum(axis=1), eps, 1 - eps)))


def _sides(rows: Classified, code: int) -> tuple[Array, Array] | None:
    """Scores of the class `code`, of rows that are of it and of the others."""
    assert rows.scores is not None  # noqa: S101 - asked for where there are scores
    truth = rows.truth == code
    if not truth.any() or truth.all():
        return None
    return rows.scores[truth, code], rows.scores[~truth, code]


def _of_counts(
    rows: Classified, ratio: Callable[[Array, Array, Array], Array], undefined: str
) -> Value:
    """A ratio of (tp, fp, fn): of the positive one of two classes, else the mean over classes."""
    wanted = [1] if len(rows.classes) == 2 else sorted(set(rows.truth) | set(rows.predicted))
    columns = []
    for code in wanted:
        true, said = rows.truth == code, rows.predicted == code
        columns += [true & said, ~true & said, true & ~said]
    sums = np.column_stack(columns).astype(float)

    def of(drawn: Array) -> Array:
        parts = [ratio(*drawn[:, 3 * at : 3 * at + 3].T) for at in range(len(wanted))]
        if len(wanted) > 1:  # as scikit-learn: a class that is undefined counts as 0
            parts = [np.nan_to_num(part, nan=0.0) for part in parts]
        return np.asarray(np.mean(parts, axis=0))

    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(of(sums.sum(axis=0, keepdims=True))[0])
    if not np.isfinite(value):
        return Value(None, note=undefined)
    return Value(value, *_clipped(intervals.bootstrap(sums, of)))


def _clipped(ends: Interval) -> Interval:
    return max(0.0, ends[0]), min(1.0, ends[1])
