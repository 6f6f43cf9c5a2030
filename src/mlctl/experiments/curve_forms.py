"""Curves made few enough to draw, and smooth enough to read. Pure."""

from __future__ import annotations

import math

from mlctl.experiments.curves import Curve


def fewer(curve: Curve, most: int) -> Curve:
    """At most about `most` points: the ends, and the least and the greatest of equal parts."""
    count = len(curve.values)
    if count <= most:
        return curve
    parts = max((most - 2) // 2, 1)
    kept = {0, count - 1}
    for part in range(parts):
        inside = range(part * count // parts, (part + 1) * count // parts)
        numbers = [at for at in inside if not math.isnan(curve.values[at])]
        if numbers:
            kept |= {min(numbers, key=curve.values.__getitem__)}
            kept |= {max(numbers, key=curve.values.__getitem__)}
    order = sorted(kept)
    return Curve(
        tuple(curve.steps[at] for at in order),
        tuple(curve.times[at] for at in order),
        tuple(curve.values[at] for at in order),
    )


def smoothed(curve: Curve, weight: float) -> Curve:
    """The exponential moving average, `weight` (0 to 1) being how much of the past stays.

    It starts at the first value, as the sum of the weights is divided out. What is not finite
    stays as it is and does not enter the average.
    """
    total = scale = 0.0
    values = []
    for value in curve.values:
        if math.isfinite(value):
            total = weight * total + (1 - weight) * value
            scale = weight * scale + (1 - weight)
            values.append(total / scale)
        else:
            values.append(value)
    return Curve(curve.steps, curve.times, tuple(values))
