"""How far a column of numbers may be expected to reach: from a sample, never its exact extremes.

The rules of thumb are made so that more data of the same kind keeps the range:

- A column that climbs or falls with the rows gets no bound on that side.
- A tail that is no lighter than that of an exponential distribution gets no bound. The largest of n
  values of an exponential one lies about ln(n/2) means above its median, the 9th decile ln(5) means
  and the mean itself 1 - ln(2). An excess kurtosis above 1.5 (0 is normal) counts as such tails.
- Else the range is widened on both sides by half its width, and by more where rows are few.
- Zero is a bound where the data stops there: where it is dense beside zero, where zero lies at
  least twice as far from the median as the value nearest to it, and where values climb from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FEWEST = 50  # rows below which nothing is said
LARGEST = 2.0**53  # whole numbers beyond are not exact in JSON and YAML readers
_NEAR = 0.1  # of the width: what counts as beside zero
_DENSE = 0.04  # share of the values that must stand there
_SKEW = (1 - math.log(2)) / math.log(5)  # of the 9th decile: where the mean of an exponential lies
_FEW = 500  # rows below which skew of two thirds of that is reason enough
_KURTOSIS = 1.5
_SHIFT = 0.25  # of the distance of the quartiles: how far the median of a column that climbs moves


@dataclass(frozen=True, slots=True)
class Reach:
    """The bounds, None for none, and what was seen that explains them."""

    low: float | None
    high: float | None
    why: tuple[str, ...] = ()


def reach(sample: pl.Series, low: float, high: float, *, counts: bool = False) -> Reach:
    """The bounds for values like `sample` (numbers in file order) that reach from low to high.

    `counts` says that they cannot be negative where none is so far.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or sample.len() < FEWEST or low == high:
        return Reach(None, None)
    values = sample.cast(float)
    climbs = trend(values)
    falling = _side(-values, -high, -low, climbs=climbs < 0, stops=counts or climbs > 0)
    rising = _side(values, low, high, climbs=climbs > 0, stops=climbs < 0)
    why = ["it climbs with the rows"] if climbs > 0 else []
    why += ["it falls with the rows"] if climbs < 0 else []
    if (rising is None and climbs <= 0) or (falling is None and climbs >= 0):
        why.append("it has a long tail")
    bottom = None if falling is None else 0.0 - falling
    return Reach(bottom, rising, tuple(why))


def trend(values: pl.Series) -> int:
    """1 where values climb with the rows, -1 where they fall, 0 where they do neither.

    The medians of the four quarters of the rows must be in order, the last well beyond the first.
    """
    count = values.len()
    if count < FEWEST:
        return 0
    if values.is_sorted() or values.is_sorted(descending=True):
        return 1 if values[-1] > values[0] else -1 if values[-1] < values[0] else 0
    edges = [count * part // 4 for part in range(5)]
    medians = [_quantile(values[a:b], 0.5) for a, b in pairwise(edges)]
    moved = medians[-1] - medians[0]
    spread = _quantile(values, 0.75) - _quantile(values, 0.25)
    if abs(moved) <= _SHIFT * spread:
        return 0
    return 1 if medians == sorted(medians) else -1 if medians == sorted(medians)[::-1] else 0


def outwards(value: float, towards: Callable[[float], int]) -> float:
    """`value` to two leading digits, by `math.floor` or `math.ceil`."""
    if not math.isfinite(value) or value == 0:
        return value
    exponent = math.floor(math.log10(abs(value))) - 1
    step = 10.0**exponent if exponent > -300 else 0.0
    if not step:
        return value
    return float(f"{towards(value / step)}e{exponent}")


def _side(values: pl.Series, low: float, high: float, *, climbs: bool, stops: bool) -> float | None:
    """The upper bound; the lower one is that of the negated values, negated."""
    width = high - low
    if not math.isfinite(width):
        return None
    median, decile = _quantile(values, 0.5), _quantile(values, 0.9)
    dense = high <= 0 and _is_dense_at_zero(values, high, width)
    if climbs:
        return 0.0 if dense else None
    stops = dense or (high <= 0 and (stops or 2 * high <= median))
    if _is_heavy(values, high - median, decile - median):
        return 0.0 if stops else None
    room = width * (0.5 + 10 / math.sqrt(values.len()))
    bound = outwards(high + room, math.ceil)
    if not math.isfinite(bound):
        return None
    return min(bound, 0.0) if stops else bound


def _is_dense_at_zero(values: pl.Series, high: float, width: float) -> bool:
    beside = float((values >= high - _NEAR * width).mean() or 0)  # type: ignore[arg-type]
    return -high <= _NEAR * width and beside >= _DENSE


def _is_heavy(values: pl.Series, largest: float, decile: float) -> bool:
    """Whether the upper tail is no lighter than an exponential one; both are from the median on."""
    if decile <= 0:
        return largest > 0
    mean = float(values.mean() or 0) - _quantile(values, 0.5)  # type: ignore[arg-type]
    exponential = math.log(values.len() / 2) / math.log(5)
    skew = _SKEW * (0.65 if values.len() < _FEW else 0.95)
    if largest > max(exponential, 1.0) * decile or mean > skew * decile:
        return True
    return float(values.kurtosis() or 0) > _KURTOSIS


def _quantile(values: pl.Series, share: float) -> float:
    return float(values.quantile(share, "linear"))  # type: ignore[arg-type]
