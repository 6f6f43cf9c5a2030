"""torch, in a loop of one's own: means over an epoch that do not wait for the GPU, and weights."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, Tuple

from ._current import current
from ._warn import harmless, reason, warn


class Means:
    """Weighted means of what each batch says: `add` in the loop, `log` at the epoch's end.

    `add` takes tensors as they are. Reading a number off a GPU at every step (`loss.item()`) makes
    the loop wait for it; here that happens once an epoch.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._sums: Dict[str, Tuple[Any, float]] = {}

    def add(self, weight: float = 1, **metrics: Any) -> None:
        """What one batch says; `weight` is its size, where sizes differ."""
        try:
            for name, value in metrics.items():
                if hasattr(value, "detach"):
                    value = value.detach().mean().float()
                total, weights = self._sums.get(name, (0.0, 0.0))
                self._sums[name] = (total + value * weight, weights + weight)
        except Exception as error:
            warn("means", f"a batch is not counted: {reason(error)}")

    @harmless
    def log(self, step: Any = None) -> Dict[str, float]:
        """Log the means as of `step`, return them, and begin anew."""
        sums, self._sums = self._sums, {}
        means = {
            self._prefix + name: float(total) / weights
            for name, (total, weights) in sums.items()
            if weights
        }
        current().log_metrics(means, step)
        return means


@harmless
def log_weights(model: Any, name: str = "model.pt") -> None:
    """Log the weights of a model (its `state_dict`) as a file."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.pt")
        torch.save(model.state_dict(), path)
        current().log_artifact(path, name)


@harmless
def log_seed() -> None:
    """Log the seed that torch was given, so that it can be seen and used again."""
    import torch

    current().log_params(seed=torch.initial_seed())
