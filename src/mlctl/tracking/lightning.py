"""Lightning: `Trainer(logger=mlctl.tracking.lightning.MlctlLogger())`."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

try:
    from lightning.pytorch.loggers.logger import Logger
except ImportError:
    from pytorch_lightning.loggers.logger import Logger

from ._current import current
from ._params import as_mapping
from ._place import rank
from ._warn import harmless


class MlctlLogger(Logger):  # type: ignore[misc]
    """Logs from the first process to the run of the stage, or of the script.

    `prefix` stands before each metric's name.
    """

    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self._prefix = prefix

    @property
    def name(self) -> str:
        """Part of where Lightning puts checkpoints."""
        return "mlctl"

    @property
    def version(self) -> str:
        """The run's id."""
        return current().id

    @property
    def experiment(self) -> Any:
        """What can be logged to by hand: `logger.experiment.log_image(...)`."""
        return current()

    def log_hyperparams(self, params: Any, *_args: Any, **_more: Any) -> None:
        """The hyperparameters of `save_hyperparameters`."""
        if rank() == 0:
            current().log_params(_mapping(params))

    def log_metrics(self, metrics: Mapping[str, float], step: Optional[int] = None) -> None:
        """What `self.log` was given."""
        if rank() == 0:
            numbers = {self._prefix + name: it for name, it in metrics.items()}
            current().log_metrics(numbers, step)

    @harmless
    def log_image(self, key: str, images: Any, step: Optional[int] = None, **_more: Any) -> None:
        """As the loggers of other tools have it: a list of images under one name."""
        for number, image in enumerate(images if rank() == 0 else ()):
            name = key if len(images) == 1 else f"{key}-{number}"
            current().log_image(name, image, step)


def _mapping(params: Any) -> Dict[str, Any]:
    try:
        return dict(as_mapping(params))
    except TypeError:
        return dict(vars(params))
