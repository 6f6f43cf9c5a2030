"""Optuna: `study.optimize(objective, callbacks=[mlctl.tracking.optuna.callback()])`."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from ._current import current
from ._warn import harmless


def callback(names: Sequence[str] = ("value",), *, prefix: str = "") -> Callable[[Any, Any], None]:
    """Log each finished trial: its values by `names` and its numbers among the parameters, at the
    step of its number; with one objective also the best so far, and its parameters.
    """

    @harmless
    def log(study: Any, trial: Any) -> None:
        if trial.values is None:  # pruned, or failed
            return
        run = current()
        metrics = {f"{prefix}{name}": value for name, value in zip(names, trial.values)}
        for name, value in trial.params.items():
            if isinstance(value, (int, float)):
                metrics[f"{prefix}params/{name}"] = value
        if len(trial.values) == 1:
            best = study.best_trial
            metrics[f"{prefix}best"] = best.value
            if best.number == trial.number:
                run.log_params({f"{prefix}best.{key}": it for key, it in trial.params.items()})
        run.log_metrics(metrics, trial.number)

    return log
