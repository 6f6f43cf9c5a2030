"""Rows with predictions and, where known, their truth, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mlctl.monitoring.spec import MonitorSpec

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Classified:
    """Rows of a classifier: codes into `classes`, `UNKNOWN` where there is none.

    `scores` has a row's probability of each class, None where the model gives none. Of two classes
    the last is the positive one.
    """

    classes: tuple[str, ...]
    truth: Codes
    predicted: Codes
    scores: Array | None

    def at(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Classified:
        """Some of the rows."""
        scores = None if self.scores is None else self.scores[rows]
        return Classified(self.classes, self.truth[rows], self.predicted[rows], scores)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have their truth."""
        return np.asarray(self.truth != UNKNOWN)


@dataclass(frozen=True, slots=True)
class Regressed:
    """Rows of a regression; the truth is NaN where it is not known."""

    truth: Array
    predicted: Array

    def at(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Regressed:
        """Some of the rows."""
        return Regressed(self.truth[rows], self.predicted[rows])

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which rows have their truth and a prediction."""
        return ~np.isnan(self.truth) & ~np.isnan(self.predicted)


Scored = Classified | Regressed


def classes_of(spec: MonitorSpec, *columns: pl.Series) -> tuple[str, ...]:
    """The classes: those with a score first in their order, then others that occur, sorted."""
    named = list(spec.predictions.scores)
    seen: set[str] = set()
    for column in columns:
        seen |= set(words(column).drop_nulls().unique().to_list())
    others = sorted(seen - set(named))
    if len(named) == 1 and others:  # the score of the positive class alone
        return (*others, *named)
    return (*named, *others)


def words(column: pl.Series) -> pl.Series:
    """Classes as text: 1, 1.0, "1" and true of a number are one class."""
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String)
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        if (whole.cast(pl.Float64) == column).all():
            return whole.cast(pl.String)
    return column.cast(pl.String, strict=False)


def classified(
    spec: MonitorSpec, rows: pl.DataFrame, truth: pl.Series, classes: tuple[str, ...]
) -> Classified:
    """The rows of a classifier; predictions that are not given follow from the scores."""
    scores = _scores(spec, rows, classes)
    value = spec.predictions.value
    if value and value in rows.columns:
        predicted = codes(rows[value], classes)
    elif scores is not None:
        predicted = scores.argmax(axis=1).astype(np.int64)
        predicted[np.isnan(scores).any(axis=1)] = UNKNOWN
    else:
        predicted = np.full(rows.height, UNKNOWN, np.int64)
    return Classified(classes, codes(truth, classes), predicted, scores)


def regressed(spec: MonitorSpec, rows: pl.DataFrame, truth: pl.Series) -> Regressed:
    """The rows of a regression."""
    value = spec.predictions.value
    predicted = rows[value] if value in rows.columns else pl.Series([None] * rows.height)
    return Regressed(_floats(truth), _floats(predicted))


def codes(column: pl.Series, classes: tuple[str, ...]) -> Codes:
    """Each value's place among `classes`, `UNKNOWN` for null and for others."""
    places = {name: code for code, name in enumerate(classes)}
    return (
        words(column)
        .replace_strict(places, default=UNKNOWN, return_dtype=pl.Int64)
        .fill_null(UNKNOWN)
        .to_numpy()
    )


def _scores(spec: MonitorSpec, rows: pl.DataFrame, classes: tuple[str, ...]) -> Array | None:
    named = spec.predictions.scores
    if not named or any(column not in rows.columns for column in named.values()):
        return None
    if len(named) == 1 and len(classes) == 2:
        positive = _floats(rows[next(iter(named.values()))])
        return np.column_stack((1 - positive, positive))
    if set(named) != set(classes):
        return None  # a class without a score: no metric of probabilities has a meaning
    return np.column_stack([_floats(rows[named[name]]) for name in classes])


def _floats(column: pl.Series) -> Array:
    values = column.cast(pl.Float64, strict=False).to_numpy().astype(float)
    return np.where(np.isfinite(values), values, np.nan)
