"""LightGBM's text format (`Booster.save_model`): data only, nothing in it is run."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import polars as pl

from mlctl.models.description import Description
from mlctl.models.output import from_probabilities, from_values

RUNS_CODE = False


class LightGBM:
    """A booster; missing values are NaN to it."""

    def __init__(self, booster: lightgbm.Booster, description: Description) -> None:
        self._booster = booster
        self._description = description

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        matrix = frame.cast(pl.Float64).to_numpy(order="c")
        raw = np.asarray(self._booster.predict(matrix))
        if self._description.task == "regression":
            return from_values(raw)
        both = np.column_stack([1.0 - raw, raw]) if raw.ndim == 1 else raw
        return from_probabilities(both, self._description)


def load(path: Path, description: Description) -> LightGBM:
    """The booster in `path`. Raises ValueError where it does not fit the description."""
    booster = lightgbm.Booster(model_file=str(path))
    texts = [feature.name for feature in description.features if feature.dtype == "str"]
    if texts:
        raise ValueError(f"LightGBM reads numbers, and {texts[0]!r} is a text")
    if booster.num_feature() != len(description.features):
        raise ValueError(
            f"it reads {booster.num_feature()} features, described are {len(description.features)}"
        )
    names = [feature.name for feature in description.features]
    own = booster.feature_name()
    if own != names and own != [f"Column_{index}" for index in range(len(own))]:
        position = next(i for i, name in enumerate(names) if name != own[i])
        raise ValueError(f"its feature {position} is {own[position]!r}, not {names[position]!r}")
    classes = max(2, booster.num_model_per_iteration())
    if description.classes and classes != len(description.classes):
        raise ValueError(f"it has {classes} classes, described are {len(description.classes)}")
    return LightGBM(booster, description)
