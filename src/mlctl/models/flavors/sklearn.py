"""scikit-learn estimators and pipelines, saved with joblib or pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl

from mlctl.models.description import Description
from mlctl.models.output import from_probabilities, from_values

RUNS_CODE = True


class Sklearn:
    """An estimator, called as it was fitted: with a frame where it knows its features' names."""

    def __init__(self, estimator: Any, description: Description) -> None:
        self._estimator = estimator
        self._description = description
        self._named = hasattr(estimator, "feature_names_in_")

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        table = frame if self._named else frame.to_numpy(order="c")
        values = from_values(np.asarray(self._estimator.predict(table)).ravel())
        if self._description.task == "regression" or not hasattr(self._estimator, "predict_proba"):
            return values
        probabilities = self._estimator.predict_proba(table)
        # Not every estimator predicts its most probable class (SVC does not).
        return from_probabilities(probabilities, self._description).with_columns(values)


def load(path: Path, description: Description) -> Sklearn:
    """The estimator in `path`. Raises ValueError where it does not fit the description."""
    estimator = joblib.load(path)
    if not hasattr(estimator, "predict"):
        raise ValueError(f"a {type(estimator).__name__} cannot predict")
    width = getattr(estimator, "n_features_in_", len(description.features))
    if width != len(description.features):
        raise ValueError(f"it reads {width} features, described are {len(description.features)}")
    names = [feature.name for feature in description.features]
    own = list(getattr(estimator, "feature_names_in_", names))
    if own != names:
        raise ValueError(f"it was fitted on {own}, in this order")
    labels = [str(label) for label in getattr(estimator, "classes_", [])]
    if description.classes and labels and labels != [str(c) for c in description.classes]:
        raise ValueError(f"its classes are {labels}, in this order")
    return Sklearn(estimator, description)
