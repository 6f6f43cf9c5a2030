"""What is learned from the reference once: calibration, error models, and its own metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from mlctl.monitoring.performance import dle, metrics
from mlctl.monitoring.performance.calibration import Curve, calibrated
from mlctl.monitoring.performance.dle import LossModel
from mlctl.monitoring.performance.scored import (
    Array,
    Classified,
    Scored,
    classes_of,
    classified,
    regressed,
)
from mlctl.monitoring.results import Finding
from mlctl.monitoring.spec import MonitorSpec, PerformanceSpec

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Prepared:
    """`values` are the reference's metrics, `losses` its rows' losses (NaN without a label).

    `curves` are the calibrations by class, `low` and `high` the range of its scores, `models` those
    of a regression's loss by power. Without a reference that has labels all are empty.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    losses: Array | None = None
    classes: tuple[str, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    low: float = 0.0
    high: float = 1.0
    models: Mapping[int, LossModel] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def columns(spec: MonitorSpec) -> list[str]:
    """The columns of the rows that scores ask for, those of a regression's error model included.

    Of a regression all that is compared may explain its error: the caller adds the features.
    """
    wanted = [spec.predictions.value, *spec.predictions.scores.values()]
    if spec.labels is not None:
        labels = spec.labels
        wanted += [labels.column, labels.time] if labels.where is None else [labels.key]
    return list(dict.fromkeys(filter(None, wanted)))


def prepare(
    spec: MonitorSpec,
    reference: pl.DataFrame | None,
    fitted: Mapping[str, Any] | None = None,
    features: tuple[str, ...] = (),
) -> Prepared:
    """Learn from the `reference`'s rows, or take what a baseline kept of them (`fitted`).

    `features` are the columns that a regression's error is explained by.
    """
    performance = spec.performance
    if performance is None:
        return Prepared()
    if fitted:
        return _restored(fitted)
    label = spec.labels.column if spec.labels else ""
    if reference is None or label not in reference.columns or not reference.height:
        return Prepared()
    if performance.task == "classification":
        return _of_classifier(spec, performance, reference, label)
    return _of_regression(spec, performance, reference, label, features)


def fit(spec: MonitorSpec, reference: pl.DataFrame) -> dict[str, Any]:
    """What a baseline keeps, JSON-ready: the reference's metrics and calibrations, a few kB."""
    found = prepare(spec, reference)
    return {
        "values": {name: round(value, _DIGITS) for name, value in found.values.items()},
        "classes": list(found.classes),
        "low": round(found.low, _DIGITS),
        "high": round(found.high, _DIGITS),
        "curves": {
            name: {
                "x": [round(v, _DIGITS) for v in curve.x],
                "y": [round(v, _DIGITS) for v in curve.y],
                "error": round(curve.error, _DIGITS),
            }
            for name, curve in found.curves.items()
        },
    }


def losses_of(rows: Scored) -> Array:
    """Each row's loss, NaN without a truth: 0 or 1 of a classifier, |error| of a regression."""
    if isinstance(rows, Classified):
        wrong = (rows.truth != rows.predicted).astype(float)
        return np.where(rows.known, wrong, np.nan)
    return np.abs(rows.truth - rows.predicted)


def _of_classifier(
    spec: MonitorSpec, performance: PerformanceSpec, reference: pl.DataFrame, label: str
) -> Prepared:
    value = spec.predictions.value
    others = [reference[value]] if value in reference.columns else []
    classes = classes_of(spec, reference[label], *others)
    rows = classified(spec, reference, reference[label], classes)
    known = rows.at(rows.known)
    if not known.truth.size:
        return Prepared(classes=classes)
    curves: dict[str, Curve] = {}
    low, high = 0.0, 1.0
    if known.scores is not None and performance.estimate:
        for code, name in enumerate(classes):
            curves[name] = calibrated(known.scores[:, code], (known.truth == code).astype(float))
        top = known.scores[:, 1] if len(classes) == 2 else known.scores.max(axis=1)
        low, high = (float(q) for q in np.quantile(top, [0.001, 0.999]))
    return Prepared(_values(performance, known), losses_of(rows), classes, curves, low, high)


def _of_regression(
    spec: MonitorSpec,
    performance: PerformanceSpec,
    reference: pl.DataFrame,
    label: str,
    features: tuple[str, ...],
) -> Prepared:
    rows = regressed(spec, reference, reference[label])
    known = rows.at(rows.known)
    if not known.truth.size:
        return Prepared()
    losses = losses_of(rows)
    models: dict[int, LossModel] = {}
    findings: list[Finding] = []
    powers = {dle.POWERS[name] for name in performance.metrics if name in dle.POWERS}
    usable = dle.usable(reference, [*features, spec.predictions.value])
    if performance.estimate and usable:
        try:
            part = reference.filter(pl.Series(rows.known))
            for power in sorted(powers):
                models[power] = dle.trained(part, usable, losses[rows.known], power)
        except ModuleNotFoundError:
            text = "the error is not estimated before labels: it needs LightGBM ([lightgbm])"
            findings.append(Finding("no_estimate", text, severity="info"))
    return Prepared(_values(performance, known), losses, models=models, findings=tuple(findings))


def _values(performance: PerformanceSpec, rows: Scored) -> dict[str, float]:
    known = metrics.METRICS[performance.task]
    found = {name: known[name].compute(rows).value for name in performance.metrics}
    return {name: value for name, value in found.items() if value is not None}


def _restored(fitted: Mapping[str, Any]) -> Prepared:
    curves = {
        name: Curve(tuple(c.get("x", ())), tuple(c.get("y", ())), float(c.get("error", 0.0)))
        for name, c in fitted.get("curves", {}).items()
    }
    low, high = float(fitted.get("low", 0.0)), float(fitted.get("high", 1.0))
    return Prepared(
        fitted.get("values", {}), None, tuple(fitted.get("classes", ())), curves, low, high
    )
