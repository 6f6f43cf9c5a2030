"""The frames that Evidently, NannyML and our compat modes are asked about."""

from __future__ import annotations

import numpy as np

CASES = ((500, 400, 0, 0.0), (1000, 700, 1, 0.2), (1001, 900, 2, 0.1), (5000, 3000, 3, 0.3))
COLUMNS = ("x", "k", "i", "c", "b")


def sides(rows: int, now: int, seed: int, shift: float) -> tuple[dict, dict]:
    """Reference and current columns: numbers, few values, counts, categories, two categories."""
    rng = np.random.default_rng(seed)

    def one(size: int, by: float) -> dict:
        moved = by > 0
        return {
            "x": rng.normal(by, 1, size),
            "k": rng.integers(0, 4, size).astype(float) + moved * (rng.random(size) < 0.2),
            "c": rng.choice([*"abc"], size, p=[0.3, 0.4, 0.3] if moved else [0.5, 0.3, 0.2]),
            "b": rng.choice([*"uv"], size, p=[0.5, 0.5] if moved else [0.6, 0.4]),
            "i": rng.integers(0, 50, size),
        }

    return one(rows, 0.0), one(now, shift)
