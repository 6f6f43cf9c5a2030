"""Writing a run's record: one folder, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mlctl.adapters.files import remove_tree, sync, write_text
from mlctl.errors import InvalidInput
from mlctl.experiments.code import keep_snapshot, write_patch
from mlctl.experiments.describe import Scrub, head_of, scrubber, stage_of
from mlctl.experiments.environment import described, environment_digest, machine
from mlctl.experiments.metrics import metrics_keys, read_metrics_file
from mlctl.experiments.naming import merged
from mlctl.pipeline.results import RunResult
from mlctl.records.run import CodeState, Host, RunHead, head_text, run_folder
from mlctl.records.run_stages import StageRecord, stages_text
from mlctl.records.ulid import is_ulid
from mlctl.store.state import make_local_dir


def write_record(
    root: str,
    result: RunResult,
    code: CodeState | None,
    environment: str | None,
    metrics: Mapping[str, float] | None = None,
) -> str:
    """Write the record of a run and return its folder's key, `runs/<yyyymmdd>/<ulid>`.

    `code` is what `code_state` said before the run, `environment` the text of `environment`;
    `metrics` those of the head, read from the stages' metrics outs unless given. The folder is made
    under `.mlctl` and renamed, so a killed process leaves a whole record or none.

    Raises InvalidInput where the id is no ULID or has a record already: one is never written twice.
    """
    if not is_ulid(result.run_id):
        raise InvalidInput(f"{result.run_id!r} is no id of a run: it must be a ULID")
    key = run_folder(result.run_id)
    if os.path.lexists(os.path.join(root, key)):
        raise InvalidInput(f"{key} exists already; a record is never written twice")
    stages, found = _stages(root, result)
    python, platform = described(environment) if environment else machine()
    head = head_of(
        result,
        stages,
        found if metrics is None else metrics,
        git=code,
        env=_write_environment(root, environment) if environment else None,
        host=Host(os.cpu_count(), python, platform),
        scrub=_scrub(root),
    )
    if code is not None and code.snapshot is not None:
        keep_snapshot(root, result.run_id, code.snapshot)
    _write_folder(root, key, head, stages, code)
    return key


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


def _write_environment(root: str, text: str) -> str:
    digest = environment_digest(text)
    path = Path(root, "runs", "_env", f"{digest}.txt")
    if not path.exists():
        write_text(path, text)
    return f"sha256:{digest}"


def _write_folder(
    root: str, key: str, head: RunHead, stages: tuple[StageRecord, ...], code: CodeState | None
) -> None:
    local = os.path.join(root, ".mlctl")
    make_local_dir(local)
    temporary = Path(local, "tmp", f"run-{head.id}-{os.getpid()}")
    temporary.mkdir(parents=True)
    try:
        write_text(temporary / "stages.jsonl", stages_text(stages))
        if code is not None:
            write_patch(root, code, os.path.abspath(temporary / "code.patch"))
        write_text(temporary / "run.json", head_text(head))
        _publish(temporary, Path(root, key))
    except BaseException:
        remove_tree(temporary)
        raise


def _publish(temporary: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    sync(temporary)
    os.rename(temporary, folder)
    sync(folder.parent)
