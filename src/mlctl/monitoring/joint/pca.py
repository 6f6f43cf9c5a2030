"""PCA reconstruction: do columns still hang together as they did?

Components that hold 65 % of the variance are taken from one half of the reference; the error
|x - x'| of rebuilding a row from them is compared between the other half and the current rows
(NannyML, "Data reconstruction with PCA"). The value is the Kolmogorov-Smirnov distance of the
errors, with its p-value: the errors are of rows that the components have not seen, so that the test
holds. It sees broken correlations where every single column looks as before.
"""

from __future__ import annotations

import numpy as np

from mlctl.monitoring.drift import ks
from mlctl.monitoring.joint._outcome import Array, Outcome, ranked

LIMIT = 0.1
_SHARE = 0.65  # of the variance


def test(reference: Array, current: Array, groups: tuple[str, ...]) -> Outcome:
    """Raises ValueError for fewer than two columns."""
    if reference.shape[1] < 2:
        raise ValueError("needs two columns")
    seen, unseen = reference[::2], reference[1::2]
    mean = seen.mean(axis=0)
    _, sizes, axes = np.linalg.svd(seen - mean, full_matrices=False)
    share = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-300)
    kept = axes[: min(int(np.searchsorted(share, _SHARE)) + 1, axes.shape[0] - 1)]
    left = [(side - mean) - (side - mean) @ kept.T @ kept for side in (unseen, current)]
    errors = [np.linalg.norm(side, axis=1) for side in left]
    found = ks.compute(errors[0], errors[1])
    change = np.abs((left[1] ** 2).mean(axis=0) - (left[0] ** 2).mean(axis=0))
    ratio = float(errors[1].mean() / errors[0].mean()) if errors[0].mean() else 1.0
    return Outcome(
        found.value,
        1.0 if found.p is None else found.p,
        ranked(change, groups),
        f"error {ratio:.2f} times the reference's",
    )
