"""Where a series takes another level: optimal partitioning with a penalty. Pure.

The cost of a segment is its sum of squared distances from its mean, over the variance of the
noise; each change costs `PENALTY` ln(n). The least total is found exactly by dynamic programming
(Jackson et al. 2005, "An algorithm for optimal partitioning of data on an interval"; its pruned
form is PELT, Killick et al. 2012). A change of mean in Gaussian noise asks for a penalty above
2 ln(n) (Yao 1988); the noise is estimated from the differences of neighbours, robustly, so that the
changes themselves do not count as noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt
from statistics import median

PENALTY = 4.0
LEAST = 6  # values
_SHORTEST = 2  # values of a segment


def find(values: Sequence[float]) -> tuple[int, ...]:
    """The indices where a new level starts, ascending; none for fewer than 6 values."""
    n = len(values)
    if n < LEAST:
        return ()
    noise = _noise(values)
    if noise == 0.0:
        if min(values) == max(values):
            return ()
        noise = 1e-3 * (max(values) - min(values))
    sums, squares = [0.0], [0.0]
    centre = median(values)
    for value in values:
        scaled = (value - centre) / noise
        sums.append(sums[-1] + scaled)
        squares.append(squares[-1] + scaled * scaled)

    def cost(start: int, end: int) -> float:
        total = sums[end] - sums[start]
        return squares[end] - squares[start] - total * total / (end - start)

    penalty = PENALTY * log(n)
    best, last = [-penalty], [0]
    for end in range(1, n + 1):
        starts = [s for s in range(end - _SHORTEST + 1) if s == 0 or s >= _SHORTEST]
        options = [(best[s] + cost(s, end) + penalty, s) for s in starts] or [(float("inf"), 0)]
        least = min(options)
        best.append(least[0])
        last.append(least[1])
    found = []
    at = last[n]
    while at > 0:
        found.append(at)
        at = last[at]
    return tuple(reversed(found))


def _noise(values: Sequence[float]) -> float:
    """The standard deviation of the noise, from the differences of neighbours."""
    steps = [abs(b - a) for a, b in pairwise(values)]
    return 1.4826 * median(steps) / sqrt(2)
