"""The metrics of a run: the numbers in the metrics files that its stages wrote."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text
from mlctl.errors import MlctlError
from mlctl.experiments.naming import merged
from mlctl.pipeline.results import RunResult

FILE_LIMIT = 1_000_000  # bytes; what is larger holds curves, not a run's few numbers
_HAVE_OUTS = {"ran", "restored", "unchanged"}
_ENDINGS = (".json", ".yaml", ".yml", ".toml")


def read_metrics(root: str, result: RunResult, *, files: Iterable[str] = ()) -> dict[str, float]:
    """The numbers of all metrics outs by dotted name: `auc`, `valid.loss`.

    A name that several files have is prefixed by the file, `metrics/a.json:auc`. `files` are keys
    of more metrics files, such as a dvc.yaml's own `metrics` list. What is missing or does not
    parse is passed over: a record is written all the same.
    """
    keys = [key for stage in result.stages for key in metrics_keys(stage.outcome, stage.stage.outs)]
    return merged({key: read_metrics_file(root, key) for key in dict.fromkeys((*keys, *files))})


def metrics_keys(outcome: str, outs: Iterable[Any]) -> list[str]:
    """The keys of the metrics outs of a stage, where its outcome says that they are its own."""
    return [out.key for out in outs if out.kind == "metric"] if outcome in _HAVE_OUTS else []


def read_metrics_file(root: str, key: str) -> dict[str, float]:
    """The numbers of one file by dotted name; empty where there are none."""
    path = os.path.join(root, key)
    try:
        if not key.endswith(_ENDINGS) or os.path.getsize(path) > FILE_LIMIT:
            return {}
        return dict(_numbers(_parse(read_text(path, name=key), key)))
    except (OSError, ValueError, RecursionError, MlctlError):
        return {}


def _parse(text: str, key: str) -> Any:
    if key.endswith(".json"):
        return json.loads(text)
    return tomllib.loads(text) if key.endswith(".toml") else yaml.load(text, name=key)


def _numbers(value: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _numbers(item, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(value, int | float) and not isinstance(value, bool) and prefix:
        yield prefix, value
