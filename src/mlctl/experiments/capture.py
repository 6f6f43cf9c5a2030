"""Writing a run's record: one folder, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mlctl.adapters.files import write_text
from mlctl.experiments.code import keep_snapshot, write_patch
from mlctl.experiments.describe import Scrub, head_of, scrubber, stage_of
from mlctl.experiments.environment import described, machine
from mlctl.experiments.metrics import metrics_keys, read_metrics_file
from mlctl.experiments.naming import merged
from mlctl.experiments.publish import HEAD, new_record, write_environment
from mlctl.pipeline.results import RunResult
from mlctl.records.run import CodeState, Host, head_text, run_folder
from mlctl.records.run_stages import StageRecord, stages_text


def write_record(
    root: str,
    result: RunResult,
    code: CodeState | None,
    environment: str | None,
    metrics: Mapping[str, float] | None = None,
) -> str:
    """Write the record of a run and return its folder's key, `runs/<yyyymmdd>/<ulid>`.

    `code` is what `code_state` said before the run, `environment` the text of `environment`;
    `metrics` those of the head, read from the stages' metrics outs unless given. Raises
    InvalidInput as `new_record` does.
    """
    with new_record(root, result.run_id) as folder:
        _write(folder, root, result, code, environment, metrics)
    return run_folder(result.run_id)


def _write(
    folder: Path,
    root: str,
    result: RunResult,
    code: CodeState | None,
    environment: str | None,
    metrics: Mapping[str, float] | None,
) -> None:
    stages, found = _stages(root, result)
    python, platform = described(environment) if environment else machine()
    head = head_of(
        result,
        stages,
        found if metrics is None else metrics,
        git=code,
        env=write_environment(root, environment) if environment else None,
        host=Host(os.cpu_count(), python, platform),
        scrub=_scrub(root),
    )
    if code is not None and code.snapshot is not None:
        keep_snapshot(root, result.run_id, code.snapshot)
    write_text(folder / "stages.jsonl", stages_text(stages))
    if code is not None:
        write_patch(root, code, os.path.abspath(folder / "code.patch"))
    write_text(folder / HEAD, head_text(head))


def _stages(root: str, result: RunResult) -> tuple[tuple[StageRecord, ...], dict[str, float]]:
    scrub = _scrub(root)
    stages, found = [], {}
    for stage in result.stages:
        keys = metrics_keys(stage.outcome, stage.stage.outs)
        metrics = {key: read_metrics_file(root, key) for key in keys}
        found.update(metrics)
        stages.append(stage_of(stage, metrics, scrub))
    return tuple(stages), merged(found)


def _scrub(root: str) -> Scrub:
    home = os.path.expanduser("~")
    return scrubber({os.path.realpath(root): ".", os.path.abspath(root): ".", home: "~"})
