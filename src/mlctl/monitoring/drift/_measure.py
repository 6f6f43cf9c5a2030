"""What a drift metric takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
else:
    Array = Any


@dataclass(frozen=True, slots=True)
class Measure:
    """`value` of the metric, and the p-value of "nothing drifted" where the metric has a test."""

    value: float
    p: float | None = None


def check(reference: Array, current: Array) -> None:
    """Raises ValueError where a side holds nothing: there is then nothing to compare."""
    for name, side in (("reference", reference), ("current", current)):
        if not side.size:
            raise ValueError(f"no values in the {name}")


def check_counts(reference: Array, current: Array) -> None:
    """Raises ValueError where a row of counts adds up to nothing, or the rows do not match."""
    check(reference, current)
    if reference.shape != current.shape:
        raise ValueError(f"counts of {reference.size} and of {current.size} bins")
    for name, side in (("reference", reference), ("current", current)):
        if side.sum() <= 0:
            raise ValueError(f"no values in the {name}")


def ordered(sample: Array) -> Array:
    """The sample in ascending order; one that is so already is not copied."""
    return sample if bool((sample[:-1] <= sample[1:]).all()) else np.sort(sample)
