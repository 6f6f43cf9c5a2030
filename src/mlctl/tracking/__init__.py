"""What a training script logs to: `import mlctl`.

Standard library only, Python 3.8 and later, and nothing else of mlctl: a copy of this package is
put on the path of stages whose Python has no mlctl (docs/adr/0016-tracking-on-the-path.md).
Nothing here raises for what happens to the log, and no call waits for the disk.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ._current import current, start_run
from ._params import stage_params
from ._run import Run

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


def log(values: Optional[Mapping[str, Any]] = None, /, *, step: Any = None, **metrics: Any) -> None:
    """Log numbers: `mlctl.log(step=3, loss=0.2)`, or `mlctl.log({"val/loss": 0.2}, step=3)`.

    Without `step` it is the one after the last. Outside of a stage and of `start_run` a run begins,
    and ends with the process.
    """
    current().log_metrics(metrics if values is None else {**values, **metrics}, step)


def log_params(values: Any = None, /, **params: Any) -> None:
    """Log parameters: a mapping, a namespace of argparse or a dataclass, and keywords."""
    current().log_params(values, **params)


def log_image(name: str, image: Any, step: Optional[float] = None) -> None:
    """Log a picture: a path, bytes of an image file, an array, an image of PIL, or a figure."""
    current().log_image(name, image, step)


def log_plot(name: str, plot: Any, step: Optional[float] = None) -> None:
    """Log a plot: SVG, a dict of Vega, a figure of matplotlib or Altair, or the path of a file."""
    current().log_plot(name, plot, step)


def log_artifact(path: Any, name: Optional[str] = None) -> None:
    """Log a file or a folder. A file of more than 64 MB is read only when the run is over."""
    current().log_artifact(path, name)


def params() -> Dict[str, Any]:
    """The parameters of the stage, nested; outside of one, those of params.json or params.yaml.

    Raises FileNotFoundError where there is no such file, ImportError where a library is missing.
    """
    return stage_params()
