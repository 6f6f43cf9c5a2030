"""Writing a run's record: one folder, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlctl.adapters.files import write_text
from mlctl.executors import LOCAL
from mlctl.experiments.code import keep_snapshot, write_patch
from mlctl.experiments.describe import Logged, Scrub, head_of, scrubber, stage_of
from mlctl.experiments.environment import described, environment_of, machine
from mlctl.experiments.live import forget
from mlctl.experiments.logged import fold
from mlctl.experiments.metrics import metrics_keys, read_metrics_file
from mlctl.experiments.naming import merged
from mlctl.experiments.publish import HEAD, new_record, write_environment
from mlctl.pipeline.results import RunResult
from mlctl.records.run import CodeState, Host, RunHead, head_text, run_folder
from mlctl.records.run_stages import StageRecord, stages_text
from mlctl.records.secrets import HIDDEN, is_secret_name

LOG_LIMIT = 64 * 1024  # bytes of the end of a log
_SECRET_LENGTH = 6  # of a variable's value, from which on it is looked for in a log
_HASH_SEED = "PYTHONHASHSEED"


def write_record(
    root: str,
    result: RunResult,
    code: CodeState | None,
    environment: str | None,
    metrics: Mapping[str, float] | None = None,
    *,
    name: str | None = None,
    logs: bool = False,
) -> str:
    """Write the record of a run and return its folder's key, `runs/<yyyymmdd>/<ulid>`.

    `code` is what `code_state` said before the run, `environment` the text of `environment`;
    `metrics` those of the head, read from the stages' metrics outs unless given. What the stages
    logged becomes part of the record, and with `logs` the end of what they printed. Raises
    InvalidInput as `new_record` does.
    """
    scrub = machine_scrubber(root)
    with new_record(root, result.run_id) as folder:
        elsewhere = {it.stage.address for it in result.stages if it.executor != LOCAL}
        logged = fold(root, result.run_id, result.started, folder, elsewhere)
        stages, found = _stages(root, result, logged, scrub)
        python, platform = described(environment) if environment else machine()
        head = head_of(
            result,
            stages,
            found if metrics is None else metrics,
            git=code,
            env=write_environment(root, environment) if environment else None,
            host=Host(os.cpu_count(), python, platform),
            scrub=scrub,
            logged=logged,
            seeds=_hash_seeds(result),
            name=name,
        )
        write_text(folder / "stages.jsonl", stages_text(stages))
        write_code(root, head, folder)
        if logs:
            _write_logs(root, result, scrub, folder)
        write_text(folder / HEAD, head_text(head))
    forget(root, result.run_id)
    return run_folder(result.run_id)


def write_code(root: str, head: RunHead, folder: Path) -> None:
    """Keep the snapshot that a head names, and write it as a patch into its record's folder."""
    if head.git is not None:
        if head.git.snapshot is not None:
            keep_snapshot(root, head.id, head.git.snapshot)
        write_patch(root, head.git, os.path.abspath(folder / "code.patch"))


def _stages(
    root: str, result: RunResult, logged: Logged, scrub: Scrub
) -> tuple[tuple[StageRecord, ...], dict[str, float]]:
    stages, found = [], {}
    for stage in result.stages:
        keys = metrics_keys(stage.outcome, stage.stage.outs)
        metrics = {key: read_metrics_file(root, key) for key in keys}
        found.update(metrics)
        params = logged.params.get(stage.stage.address, {})
        record = stage_of(stage, metrics, scrub, params)
        stages.append(replace(record, host=_host(root, record.host)))
    return tuple(stages), merged(found)


def _host(root: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a host told of itself; its packages as the digest of their text, which is kept."""
    host = dict(told)
    packages = host.pop("packages", None)
    # A host may say anything.
    if isinstance(packages, list) and len(packages) > 1 and all(map(_is_line, packages)):
        host["env"] = write_environment(root, environment_of(packages))
    return host


def _is_line(text: Any) -> bool:
    return isinstance(text, str) and "\n" not in text


def machine_scrubber(root: str) -> Scrub:
    """Takes the project's folder and the user's home out of a text."""
    home = os.path.expanduser("~")
    return scrubber({os.path.realpath(root): ".", os.path.abspath(root): ".", home: "~"})


def _hash_seeds(result: RunResult) -> dict[str, int]:
    """What seeded the hashes of Python in the stages that ran, by stage where they differ."""
    found = {}
    for it in result.stages:
        if it.outcome in {"ran", "failed"} and it.log is not None:
            ours = os.environ if it.executor == LOCAL else {}
            seed = it.stage.settings.env.get(_HASH_SEED, ours.get(_HASH_SEED))
            if seed is not None and seed.isdigit():  # else it is `random`
                found[it.stage.address] = int(seed)
    if len(set(found.values())) == 1:
        return {_HASH_SEED: next(iter(found.values()))}
    return {f"{address}:{_HASH_SEED}": seed for address, seed in found.items()}


def _write_logs(root: str, result: RunResult, scrub: Scrub, folder: Path) -> None:
    """The end of each stage's log, without what is of this machine only, and without secrets."""
    values = [v for n, v in os.environ.items() if is_secret_name(n) and len(v) >= _SECRET_LENGTH]
    for it in result.stages:
        if it.log is None or not os.path.exists(log := os.path.join(root, it.log)):
            continue
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - LOG_LIMIT))
            text = file.read(LOG_LIMIT).decode("utf-8", "replace")
        for value in values:
            text = text.replace(value, HIDDEN)
        write_text(folder / "logs" / os.path.basename(log), scrub(text))
