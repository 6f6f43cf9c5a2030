"""LightGBM: `lgb.train(..., callbacks=[mlctl.tracking.lightgbm.callback()])`."""

from __future__ import annotations

from typing import Any, Callable

from ._current import current
from ._warn import harmless

_ORDER = 20  # after those that compute, before early stopping raises (LightGBM: 30)


def callback(prefix: str = "", *, params: bool = True) -> Callable[[Any], None]:
    """Log what is evaluated in each iteration, as `<prefix><data set>/<metric>`, and once the
    parameters.

    Of `lgb.cv`, whose values are means of folds, also the deviation, as `.../<metric>-stdv`.
    """

    @harmless
    def log(environment: Any) -> None:
        run = current()
        if params and environment.iteration == environment.begin_iteration:
            run.log_params(environment.params)
        metrics = {}
        for data, metric, value, *more in environment.evaluation_result_list or ():
            metrics[f"{prefix}{data}/{metric}"] = value
            if len(more) > 1:
                metrics[f"{prefix}{data}/{metric}-stdv"] = more[1]
        if metrics:
            run.log_metrics(metrics, environment.iteration)

    log.order = _ORDER  # type: ignore[attr-defined]
    return log
