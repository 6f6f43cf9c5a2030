"""What a joint test says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`value` of the test, its p-value, and the columns that speak most for a difference."""

    value: float
    p: float
    columns: tuple[str, ...] = ()
    note: str = ""


def ranked(weights: Array, groups: tuple[str, ...], most: int = 5) -> tuple[str, ...]:
    """The columns with the largest sums of `weights`, the first most of all."""
    sums: dict[str, float] = {}
    for weight, name in zip(weights.tolist(), groups, strict=True):
        sums[name] = sums.get(name, 0.0) + weight
    return tuple(sorted(sums, key=lambda name: (-sums[name], name))[:most])
