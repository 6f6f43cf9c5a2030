"""Mean and standard deviation, summed as exact fractions: no order of merging changes a bit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import frexp, isfinite, ldexp, sqrt
from sys import float_info
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
else:
    Array = Any


@dataclass(frozen=True, slots=True)
class Moments:
    """`n` values, their sum and the sum of their squares."""

    n: int = 0
    total: Fraction = Fraction(0)
    squares: Fraction = Fraction(0)

    @classmethod
    def of(cls, values: Array) -> Moments:
        """Those of finite values, centred before they are squared, so that nothing cancels."""
        if not values.size:
            return cls()
        _, exponent = frexp(float(np.abs(values).max()))
        far = exponent if abs(exponent) > 300 else 0  # whose squares would not fit a float
        scaled = np.ldexp(values, -far) if far else values
        mean = float(scaled.mean())
        rest = scaled - mean
        n, scale = int(values.size), Fraction(2) ** far
        total = n * Fraction(mean) * scale
        return cls(n, total, Fraction(float((rest * rest).sum())) * scale**2 + total**2 / n)

    @classmethod
    def from_figures(cls, n: int, mean: float, deviation: float) -> Moments:
        """Those that a file tells."""
        if not n:
            return cls()
        total = n * Fraction(mean)
        return cls(n, total, Fraction(deviation) ** 2 * (n - 1) + total**2 / n)

    def merge(self, other: Moments) -> Moments:
        """Both together."""
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """The mean; NaN without values."""
        return float(self.total / self.n) if self.n else float("nan")

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample (n - 1); 0 for less than two values."""
        if self.n < 2:
            return 0.0
        variance = max((self.squares - self.total**2 / self.n) / (self.n - 1), Fraction(0))
        half = (variance.numerator.bit_length() - variance.denominator.bit_length()) // 2
        try:
            return ldexp(sqrt(variance / Fraction(4) ** half), half)
        except OverflowError:  # of values at both ends of what a float can hold
            return float_info.max


def is_figure(value: Any) -> bool:
    """Whether a record's value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
