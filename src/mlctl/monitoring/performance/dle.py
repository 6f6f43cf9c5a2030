"""Direct loss estimation: a model of a regression's error on its features, before labels come.

A second model learns |y - f(x)| (or its square) on the reference and predicts it for new rows
(NannyML, "Direct Loss Estimation"). The reference must be rows that the first model has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import polars as pl

from mlctl.monitoring.performance import intervals
from mlctl.monitoring.performance.metrics import Value
from mlctl.monitoring.performance.scored import Array

ASSUMPTION = (
    "DLE assumes that the model errs on like inputs as it did on the reference "
    "(no concept drift, no inputs that the reference has not seen)."
)
POWERS = {"mae": 1, "mse": 2, "rmse": 2}
_OPTIONS = {
    "objective": "regression", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20,
    "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1, "seed": 0,
}  # fmt: skip
_ROUNDS, _FOLDS = 60, 3


@dataclass(frozen=True, slots=True)
class LossModel:
    """The model of a loss: `power` 1 is |error|, 2 its square; `error` is its own, in shares.

    `error` is how far the mean of its predictions lies from the mean loss on rows that it has not
    seen, as a share of the latter; `ranges` are the features' in the reference of `rows` rows.
    """

    power: int
    booster: Any
    features: tuple[str, ...]
    ranges: Array
    rows: int
    error: float


def trained(rows: pl.DataFrame, features: tuple[str, ...], loss: Array, power: int) -> LossModel:
    """A model of `loss` (|error| by row) to the `power`; ModuleNotFoundError without LightGBM."""
    import lightgbm as lgb

    x, y = matrix(rows, features), loss**power
    folds = np.arange(y.size) % _FOLDS
    gaps = []
    for fold in range(_FOLDS):
        data = lgb.Dataset(x[folds != fold], y[folds != fold])
        found = lgb.train(_OPTIONS, data, _ROUNDS).predict(x[folds == fold])
        gaps.append(float(np.mean(found) - y[folds == fold].mean()))
    error = abs(float(np.mean(gaps))) / float(y.mean()) if y.mean() else 0.0
    booster = lgb.train(_OPTIONS, lgb.Dataset(x, y), _ROUNDS)
    with np.errstate(all="ignore"):
        ranges = np.array([np.nanmin(x, axis=0), np.nanmax(x, axis=0)])
    return LossModel(power, booster, features, ranges, y.size, error)


def estimate(metric: str, model: LossModel, rows: pl.DataFrame) -> Value:
    """The expected metric of new rows, with the interval of the mean."""
    losses = np.maximum(model.booster.predict(matrix(rows, model.features)), 0.0)
    value = float(losses.mean())
    # The spread of the losses themselves is larger than that of their expectations.
    spread = losses if model.power == 1 else losses * sqrt(2)
    low, high = intervals.of_mean(spread - spread.mean() + value)
    low = max(0.0, low)
    if metric == "rmse":
        return Value(sqrt(value), sqrt(low), sqrt(high))
    return Value(value, low, high)


def outside(model: LossModel, rows: pl.DataFrame) -> float:
    """The share of rows with a feature outside of the reference's range, above what is usual.

    A new value of like kind lies beyond the range of n with a chance of 2 / (n + 1).
    """
    x = matrix(rows, model.features)
    if not x.size:
        return 0.0
    beyond = (x < model.ranges[0]) | (x > model.ranges[1])
    usual = 1.0 - (1.0 - 2.0 / (model.rows + 1)) ** int(x.shape[1])
    return float(max(0.0, float(beyond.any(axis=1).mean()) - usual))


def matrix(rows: pl.DataFrame, features: tuple[str, ...]) -> Array:
    """The numeric features as floats; those that are gone are missing."""
    columns = [
        rows[name].cast(pl.Float64, strict=False).to_numpy()
        if name in rows.columns
        else np.full(rows.height, np.nan)
        for name in features
    ]
    return np.column_stack(columns).astype(float) if columns else np.empty((rows.height, 0))


def usable(rows: pl.DataFrame, names: list[str]) -> tuple[str, ...]:
    """Those of the columns that are numbers."""
    schema = rows.schema
    return tuple(
        n for n in names if n in schema and (schema[n].is_numeric() or schema[n] == pl.Boolean)
    )
