"""The scores of a model over one period: realised as far as labels are known, estimated else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mlctl.monitoring.cuts import Period
from mlctl.monitoring.performance import cbpe, dle, labels
from mlctl.monitoring.performance.metrics import METRICS, Metric, Value
from mlctl.monitoring.performance.preparing import Prepared, losses_of
from mlctl.monitoring.performance.scored import (
    Array,
    Classified,
    Scored,
    classes_of,
    classified,
    regressed,
)
from mlctl.monitoring.results import Estimate, Finding, LabelState, Mark, Score
from mlctl.monitoring.spec import MonitorSpec, PerformanceSpec, ScoreLimit

_OUTSIDE, _OFF = 0.05, 0.05  # shares beyond which an estimate is not to be trusted


@dataclass(frozen=True, slots=True)
class Assessed:
    """`loss` and `reference_loss` are by row, NaN without a label: 0 or 1, or |error|.

    Where no label is known yet, a classifier's `loss` is its expectation.
    """

    labels: LabelState | None
    scores: tuple[Score, ...]
    slice_scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    loss: Array | None = None
    reference_loss: Array | None = None


def assess(
    spec: MonitorSpec,
    rows: pl.DataFrame,
    *,
    known: pl.DataFrame | None,
    prepared: Prepared,
    period: Period,
    slices: Mapping[str, NDArray[np.int64]],
) -> Assessed:
    """The scores of the `rows` of a period; `known` is the table of labels, `slices` are places."""
    performance = spec.performance
    if performance is None:
        return Assessed(None, ())
    truth, findings = pl.Series("__label", [None] * rows.height), list(prepared.findings)
    state = None
    if spec.labels is not None:
        truth, odd = labels.joined(rows, known, spec.labels)
        findings += odd
        state = labels.state(truth, known, spec.labels, period)
    scored = _scored(spec, performance, rows, truth, prepared)
    model = _Model(spec, performance, prepared, rows, scored)
    count = int(scored.known.sum())
    realised = count >= min(spec.min_rows, max(1, rows.height)) and state is not None
    mark: Mark = state.mark if state is not None and realised else "estimated"
    scores = tuple(model.score(name, mark, count) for name in performance.metrics)
    return Assessed(
        state,
        scores,
        {name: model.slice(places, mark) for name, places in slices.items()},
        tuple(findings),
        _losses(scored, model.chances),
        prepared.losses,
    )


def _scored(
    spec: MonitorSpec,
    performance: PerformanceSpec,
    rows: pl.DataFrame,
    truth: pl.Series,
    prepared: Prepared,
) -> Scored:
    if performance.task == "regression":
        return regressed(spec, rows, truth)
    value = spec.predictions.value
    others = [rows[value]] if value in rows.columns else []
    new = classes_of(spec, truth, *others)
    classes = (*prepared.classes, *(c for c in new if c not in prepared.classes))
    return classified(spec, rows, truth, classes or new)


def _losses(scored: Scored, chances: Array | None) -> Array:
    """Each row's loss; where no label is known at all, what is to be expected."""
    losses = losses_of(scored)
    if not np.isnan(losses).all() or chances is None or not isinstance(scored, Classified):
        return losses
    right = chances[np.arange(losses.size), np.maximum(scored.predicted, 0)]
    return np.where(scored.predicted >= 0, 1 - right, np.nan)


class _Model:
    """The rows of a period with all that their scores ask for."""

    def __init__(
        self,
        spec: MonitorSpec,
        performance: PerformanceSpec,
        prepared: Prepared,
        rows: pl.DataFrame,
        scored: Scored,
    ) -> None:
        self._spec, self._performance, self._prepared = spec, performance, prepared
        self._rows, self._scored = rows, scored
        self._metrics: Mapping[str, Metric] = METRICS[performance.task]
        self.chances = self._chances() if performance.estimate else None

    def score(self, name: str, mark: Mark, known: int) -> Score:
        """One metric: realised where the mark says so, with what was expected beside it."""
        metric = self._metrics[name]
        value, rows, note = Value(None), self._rows.height, ""
        if mark != "estimated":
            value, rows = metric.compute(self._scored.at(self._scored.known)), known
        elif known > 0:
            note = f"{known} labels are too few to score"
        estimate = self._estimate(name)
        if self._rows.height < self._spec.min_rows:
            value, estimate = Value(None), None
            note = f"{self._rows.height} rows, {self._spec.min_rows} are needed"
        if value.value is None and mark == "estimated" and estimate is not None:
            value = Value(estimate.value, estimate.low, estimate.high)
        elif value.value is not None and estimate is not None and mark != "estimated":
            estimate = replace(estimate, error=estimate.value - value.value)
        if value.value is None:
            note = "; ".join(filter(None, (note, value.note or "no labels yet, and no estimate")))
        reference = self._prepared.values.get(name)
        limit = _limit(self._performance.limits.get(name), reference, metric.better)
        trusted = mark != "estimated" or (estimate is not None and estimate.valid)
        return Score(
            name, mark, value.value, value.low, value.high, rows,
            _state(value, limit, metric.better, trusted=trusted), limit, reference, estimate, note,
        )  # fmt: skip

    def slice(self, places: NDArray[np.int64], mark: Mark) -> dict[str, float]:
        """The metrics of some of the rows, those that can be told."""
        found = {}
        for name in self._performance.metrics:
            value = self._slice_value(name, places, mark)
            if value is not None and np.isfinite(value):
                found[name] = value
        return found

    def _slice_value(self, name: str, places: NDArray[np.int64], mark: Mark) -> float | None:
        part = self._scored.at(places)
        if mark != "estimated":
            labelled = part.at(part.known)
            enough = labelled.truth.size >= self._spec.min_rows
            return self._metrics[name].compute(labelled).value if enough else None
        if self.chances is None or not isinstance(part, Classified) or part.scores is None:
            return None
        if places.size < self._spec.min_rows:
            return None
        return cbpe.estimate(name, self.chances[places], part.predicted, part.scores).value

    def _chances(self) -> Array | None:
        """Each class's calibrated probability, by row."""
        scored, curves = self._scored, self._prepared.curves
        if not isinstance(scored, Classified) or scored.scores is None or not curves:
            return None
        if set(curves) != set(scored.classes):
            return None
        columns = [curves[name](scored.scores[:, c]) for c, name in enumerate(scored.classes)]
        if len(columns) == 2:
            return np.column_stack((1 - columns[1], columns[1]))
        raw = np.column_stack(columns)
        total = raw.sum(axis=1, keepdims=True)
        even = np.full_like(raw, 1 / len(columns))
        return np.asarray(np.divide(raw, total, out=even, where=total > 0))

    def _estimate(self, name: str) -> Estimate | None:
        scored = self._scored
        if isinstance(scored, Classified):
            if self.chances is None or scored.scores is None:
                return None
            value = cbpe.estimate(name, self.chances, scored.predicted, scored.scores)
            return self._with_check(value, "CBPE", cbpe.ASSUMPTION, *self._score_check())
        model = self._prepared.models.get(dle.POWERS.get(name, 0))
        if model is None or not self._rows.height:
            return None
        beyond = dle.outside(model, self._rows)
        value = dle.estimate(name, model, self._rows)
        return self._with_check(value, "DLE", dle.ASSUMPTION, beyond, model.error)

    def _score_check(self) -> tuple[float, float]:
        """The share of rows whose score the reference hardly has, and the calibration error."""
        scored, prepared = self._scored, self._prepared
        assert isinstance(scored, Classified)  # noqa: S101 - asked for classifiers only
        assert scored.scores is not None  # noqa: S101
        two = len(scored.classes) == 2
        top = scored.scores[:, 1] if two else scored.scores.max(axis=1)
        top = top[~np.isnan(top)]
        beyond = float(((top < prepared.low) | (top > prepared.high)).mean()) if top.size else 0.0
        return beyond, max((curve.error for curve in prepared.curves.values()), default=0.0)

    @staticmethod
    def _with_check(
        value: Value, method: str, assumption: str, beyond: float, off: float
    ) -> Estimate | None:
        if value.value is None or not np.isfinite(value.value):
            return None
        what = "scores" if method == "CBPE" else "rows"
        check = (
            f"{beyond:.1%} of the {what} lie outside of the reference's, "
            f"error on rows not seen {off:.1%}"
        )
        low = value.value if value.low is None else value.low
        high = value.value if value.high is None else value.high
        valid = beyond <= _OUTSIDE and off <= _OFF
        return Estimate(value.value, low, high, method, assumption, valid, check)


def _limit(
    limit: ScoreLimit | None, reference: float | None, better: Literal["higher", "lower"]
) -> float | None:
    """The strictest of the limits that hold."""
    if limit is None:
        return None
    found: list[float] = [v for v in (limit.least, limit.most) if v is not None]
    if limit.drop is not None and reference is not None:
        found.append(reference - limit.drop if better == "higher" else reference + limit.drop)
    if not found:
        return None
    return max(found) if better == "higher" else min(found)


def _state(
    value: Value,
    limit: float | None,
    better: Literal["higher", "lower"],
    *,
    trusted: bool,
) -> Literal["degraded", "ok", "insufficient"]:
    """Degraded where even the better end of the interval is beyond the limit: no accident."""
    if value.value is None:
        return "insufficient"
    if limit is None:
        return "ok"
    best = value.high if better == "higher" else value.low
    best = value.value if best is None or not np.isfinite(best) else best
    beyond = best < limit if better == "higher" else best > limit
    if not beyond:
        return "ok"
    return "degraded" if trusted else "insufficient"
