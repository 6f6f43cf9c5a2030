"""The real data sets that scikit-learn carries: small, and there without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import sklearn
from sklearn import datasets

from mlctl.adapters import tables
from mlctl.data.source import Fetched
from mlctl.errors import InvalidInput

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def fetch(reference: str, folder: Path) -> Fetched:
    """The data set as a table: `id` from 0, the features in snake_case, `target` last.

    Classes are codes from 0 as in scikit-learn; the record holds their names.
    """
    if reference not in NAMES:
        raise InvalidInput(
            f"scikit-learn carries no data set {reference!r}", hint=f"one of {', '.join(NAMES)}"
        )
    bunch = getattr(datasets, f"load_{reference}")()
    columns: dict[str, Any] = {"id": range(len(bunch.data))}
    for index, name in enumerate(bunch.feature_names):
        columns[snake_case(str(name))] = bunch.data[:, index]
    columns["target"] = bunch.target
    frame = pl.DataFrame(columns)
    if reference == "digits":  # grey values, which the library keeps as floats
        frame = frame.cast(pl.Int64)
    target = folder / f"{reference}.parquet"
    tables.write(frame, target)
    details: dict[str, Any] = {"version": sklearn.__version__}
    names = getattr(bunch, "target_names", None)
    if names is not None:
        details["classes"] = [str(name) for name in names]
    return Fetched(target, f"sklearn:{reference}", details)


def snake_case(name: str) -> str:
    """`sepal length (cm)` as `sepal_length_cm`."""
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")
