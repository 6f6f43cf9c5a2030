"""The metrics of counterfactual runs, remembered under `.mlctl/why`: each is made once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from mlctl.adapters.files import read_text, write_text
from mlctl.errors import ConfigError
from mlctl.records.canonical import line, number, pretty
from mlctl.records.schema import load_json
from mlctl.store.state import make_local_dir

_FOLDER = os.path.join(".mlctl", "why")
_VERSION = 1  # what another version remembered is made again


class Key(NamedTuple):
    """The ids of the runs whose code, parameters and data a run had."""

    code: str
    params: str
    data: str


class Memory:
    """What is remembered in the project at `root`; `packages` are those that runs see now."""

    def __init__(self, root: str, packages: str | None) -> None:
        self._root = root
        self._packages = packages

    def recall(self, key: Key) -> dict[str, float] | None:
        """The metrics of such a run, or None."""
        path = self._path(key)
        try:
            found = load_json(read_text(path), name=path)
            return {str(name): number(value) for name, value in found["metrics"].items()}
        except (OSError, ConfigError, KeyError, TypeError, ValueError, AttributeError):
            return None  # a cache: what cannot be read is made again

    def keep(self, key: Key, metrics: Mapping[str, float]) -> None:
        """Remember the metrics of such a run."""
        make_local_dir(os.path.join(self._root, ".mlctl"))
        text = pretty({**key._asdict(), "metrics": metrics})
        write_text(self._path(key), text, durable=False)

    def _path(self, key: Key) -> str:
        text = line([_VERSION, *key, self._packages or ""])
        name = hashlib.sha256(text.encode()).hexdigest()
        return os.path.join(self._root, _FOLDER, f"{name}.json")
