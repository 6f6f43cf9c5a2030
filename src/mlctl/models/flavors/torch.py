"""PyTorch programs saved by `torch.export.save` (`.pt2`): the file holds the whole graph.

The program takes one float32 tensor (rows, features), with a dynamic number of rows, and gives
logits (rows, classes), one logit a row for two classes, or one value a row for a regression.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from mlctl.models.description import Description
from mlctl.models.output import from_probabilities, from_values

RUNS_CODE = True


class Torch:
    """An exported program, run on the CPU."""

    def __init__(self, module: Any, description: Description) -> None:
        self._module = module
        self._description = description

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        matrix = np.ascontiguousarray(frame.cast(pl.Float32).to_numpy())
        with torch.inference_mode():
            raw = self._module(torch.from_numpy(matrix))
            if self._description.task == "regression":
                return from_values(raw.reshape(-1).double().numpy())
            if raw.ndim == 1 or raw.shape[1] == 1:
                one = torch.sigmoid(raw.reshape(-1).double())
                return from_probabilities(
                    torch.stack([1 - one, one], dim=1).numpy(), self._description
                )
            return from_probabilities(torch.softmax(raw.double(), dim=1).numpy(), self._description)


def load(path: Path, description: Description) -> Torch:
    """The program in `path`. Raises ValueError where it does not fit the description."""
    texts = [feature.name for feature in description.features if feature.dtype == "str"]
    if texts:
        raise ValueError(f"a tensor holds numbers, and {texts[0]!r} is a text")
    return Torch(torch.export.load(path).module(), description)
