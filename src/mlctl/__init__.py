"""mlctl: MLOps from a git repository, with no server, account or daemon.

`import mlctl` in a training script is the API of `mlctl.tracking`, loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlctl.tracking import (
        Run,
        log,
        log_artifact,
        log_image,
        log_params,
        log_plot,
        params,
        start_run,
    )

__all__ = [
    "Run",
    "log",
    "log_artifact",
    "log_image",
    "log_params",
    "log_plot",
    "params",
    "start_run",
]

# A literal: reading it from the installed metadata costs every start 10 ms.
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mlctl import tracking

    globals().update({each: getattr(tracking, each) for each in __all__})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
