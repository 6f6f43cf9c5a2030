"""The exact p-value of the two-sample Kolmogorov-Smirnov test, as scipy takes it for small samples.

Under no drift every order of the two samples is as likely: a path from (0, 0) to (n, m), one step
for each value. P(D >= d) is the share of paths that leave the band |i / n - j / m| < d (Hodges
1958, "The significance probability of the Smirnov two-sample test"). The shares are summed up along
diagonals i + j = k: u(i, j) = (i u(i - 1, j) + j u(i, j - 1)) / (i + j) inside of the band.
"""

from __future__ import annotations

import numpy as np

from mlctl.monitoring.compat._histograms import Array

LARGEST = 10_000  # values of the larger sample, beyond which scipy approximates


def p_value(first: Array, second: Array) -> float:
    """P(D >= d) for the distance d of two samples."""
    n, m = sorted((first.size, second.size))
    both = np.concatenate((first, second))
    # In whole numbers: |i m - j n| of the largest distance, at the points of both samples.
    ordered = np.sort(first), np.sort(second)
    i = np.searchsorted(ordered[0], both, side="right").astype(np.int64)
    j = np.searchsorted(ordered[1], both, side="right").astype(np.int64)
    most = int(np.abs(i * second.size - j * first.size).max())
    if most == 0:
        return 1.0
    at = np.arange(n + 1, dtype=np.int64)
    inside = np.zeros(n + 1)
    inside[0] = 1.0
    for k in range(1, n + m + 1):
        other = k - at
        step = np.zeros(n + 1)
        step[1:] = inside[:-1] * at[1:]
        step += inside * np.maximum(other, 0)
        allowed = (other >= 0) & (other <= m) & (np.abs(at * m - other * n) < most)
        inside = np.where(allowed, step / k, 0.0)
    return float(min(1.0, max(0.0, 1.0 - inside[n])))
