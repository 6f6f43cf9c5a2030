"""A model folder, loaded: its description and something that predicts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from mlctl import plugins
from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError, InvalidInput, MlctlError
from mlctl.models import description, safety
from mlctl.models.description import Description

if TYPE_CHECKING:
    import polars as pl


class Predictor(Protocol):
    """What a flavor gives back."""

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of features, in the description's order and kinds, to as many rows of predictions.

        Classification: `prediction` and `p_<class>` for each class where the model has
        probabilities. Regression: `prediction`.
        """


class Flavor(Protocol):
    """A plug-in module of `mlctl.models.flavors`."""

    @property
    def RUNS_CODE(self) -> bool:  # noqa: N802
        """Whether loading a file of this kind can run code that the file brings."""

    def load(self, path: Path, description: Description) -> Predictor:
        """The model in `path`. Raises ValueError where it does not fit its description."""


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model."""

    folder: str
    description: Description
    predictor: Predictor


def load(folder: str, *, trust: bool = False) -> Model:
    """The model in `folder`, described by its `model.yaml`.

    Raises ConfigError or InvalidInput for a folder that is no model, and for a file that can run
    code and is not tracked, unless `trust` is on; MissingExtra where the flavor's library is not
    installed.
    """
    source = os.path.join(folder, description.FILE)
    if not os.path.isfile(source):
        raise InvalidInput(
            f"{folder}: not a model folder, it has no {description.FILE}",
            hint="docs/formats/model.md says what belongs into it",
        )
    described = description.parse(read_text(source), source=source)
    file = os.path.join(folder, described.file)
    if not os.path.isfile(file):
        raise ConfigError(
            f"{described.file} is not there",
            file=source,
            where="file",
            hint="restore it with `mlctl data pull`, or run the stage that makes it",
        )
    flavor = cast(
        "Flavor", plugins.load("mlctl.models.flavors", described.flavor, kind="model flavor")
    )
    if flavor.RUNS_CODE:
        safety.require_trust(file, trust=trust)
    return Model(folder, described, _loaded(flavor, file, described))


def _loaded(flavor: Flavor, file: str, described: Description) -> Predictor:
    try:
        return flavor.load(Path(file), described)
    except MlctlError:
        raise
    except Exception as error:  # a library can fail in any way on a bad file
        said: Any = str(error).strip().split("\n")[0] or type(error).__name__
        raise ConfigError(
            f"{described.file} cannot be loaded as {described.flavor}: {said}",
            file=described.source,
            where="file",
        ) from error
