"""All parameters and metrics of a run, those that gave way in its head among them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlctl.experiments.naming import merged, params_of
from mlctl.records.run import PARAMS, RunHead, run_folder
from mlctl.records.run_stages import StageRecord
from mlctl.records.schema import load_json


def whole_params(
    head: RunHead, stages: Iterable[StageRecord], written: bytes | None
) -> dict[str, Any]:
    """The run's parameters by dotted name; `written` is the params.json of one without stages."""
    if not head.truncated.get("params"):
        return dict(head.params)
    name = f"{run_folder(head.id)}/{PARAMS}"
    of_file = {} if written is None else load_json(written, name=name)
    return {**params_of(stages), **of_file, **head.params}


def whole_metrics(head: RunHead, stages: Iterable[StageRecord]) -> dict[str, float]:
    """The run's metrics by dotted name."""
    if not head.truncated.get("metrics"):
        return dict(head.metrics)
    by_file = {file: values for stage in stages for file, values in stage.metrics.items()}
    return {**merged(by_file), **head.metrics}
