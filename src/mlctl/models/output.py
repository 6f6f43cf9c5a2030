"""The table that a prediction is: the same columns for every flavor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlctl.models.description import Description

if TYPE_CHECKING:
    import polars as pl


def columns(description: Description, *, probabilities: bool = True) -> list[str]:
    """The names of the columns that a prediction has."""
    classes = description.classes if probabilities else ()
    return ["prediction", *(f"p_{label}" for label in classes)]


def from_probabilities(probabilities: Any, description: Description) -> pl.DataFrame:
    """Predictions from a matrix (rows, classes) in the order of the description's classes.

    The predicted class is the most probable one, the first of equals.
    """
    import polars as pl

    labels = pl.Series(description.classes, strict=False)
    frame = {"prediction": labels.gather(pl.Series(probabilities.argmax(axis=1)))}
    for index, label in enumerate(description.classes):
        frame[f"p_{label}"] = pl.Series(probabilities[:, index])
    return pl.DataFrame(frame)


def from_values(values: Any) -> pl.DataFrame:
    """Predictions from one value a row."""
    import polars as pl

    return pl.DataFrame({"prediction": pl.Series(values)})
