"""MLflow: a folder of its file store, or with MLflow installed what a tracking URI names.

A run keeps its id there, so that exporting again adds only what is new: that of MLflow where it
came from MLflow, else one made of ours.
"""

from __future__ import annotations

import hashlib
import math
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import remove_tree, write_text
from mlctl.errors import MissingExtra
from mlctl.experiments.exported import ExportedRun, text_of
from mlctl.records.run_metrics import keys_of, series_names

_ID = re.compile(r"[0-9a-f]{32}")
_REFUSED = re.compile(r"[^\w\-./ :]")  # characters that MLflow allows in no key
_LONGEST_KEY, _LONGEST_PARAM, _LONGEST_TAG = 250, 6000, 5000
_STATUSES = {"finished": 3, "failed": 4, "interrupted": 5}
_WORDS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_BATCH = 500  # values that MLflow takes at once

Value = tuple[str, int, float, int]  # key, milliseconds since 1970, value, step


def write(runs: Sequence[ExportedRun], target: str, *, project: str) -> list[str]:
    """Write the runs into the experiment `project` of a folder, or of a tracking URI."""
    if "://" in target:
        _write_by_client(runs, target, project)
        return [target]
    return _write_files(runs, Path(target), project)


def _write_files(runs: Sequence[ExportedRun], top: Path, project: str) -> list[str]:
    number = int(hashlib.sha256(project.encode("utf-8", "replace")).hexdigest()[:14], 16)
    folder = top / str(number)
    if not (folder / "meta.yaml").exists():
        created = min(_milliseconds(run.head.started) for run in runs)
        meta = {
            "artifact_location": folder.absolute().as_uri(),
            "creation_time": created,
            "experiment_id": str(number),
            "last_update_time": created,
            "lifecycle_stage": "active",
            "name": project,
        }
        write_text(folder / "meta.yaml", yaml.dump(meta))
    for run in runs:
        _write_run(run, folder, str(number))
    return [str(folder)]


def _write_run(run: ExportedRun, folder: Path, experiment: str) -> None:
    """One folder, which takes its place when it is whole; one that is there stays as it is."""
    run_id = run_id_of(run)
    place = folder / run_id
    if place.exists():
        return
    temporary = folder / f".{run_id}.{os.getpid()}"
    try:
        for name in ("artifacts", "metrics", "params", "tags"):
            (temporary / name).mkdir(parents=True)
        for key, value in _params(run).items():
            _write_key(temporary / "params", key, value)
        for key, value in _tags(run).items():
            _write_key(temporary / "tags", key, value)
        lines: dict[str, list[str]] = {}
        for key, moment, number, step in _values(run):
            lines.setdefault(key, []).append(f"{moment} {number!r} {step}\n")
        for key, texts in lines.items():
            _write_key(temporary / "metrics", key, "".join(texts))
        meta = _meta(run, run_id, experiment, (place / "artifacts").absolute().as_uri())
        write_text(temporary / "meta.yaml", yaml.dump(meta), durable=False)
        temporary.rename(place)
    except BaseException:
        remove_tree(temporary)
        raise


def _write_key(folder: Path, key: str, text: str) -> None:
    """A key with slashes is a file in folders. Where one of these is a key itself, it is none."""
    parents = [folder / parent for parent in Path(key).parents]
    path = folder / key
    if path.is_dir() or any(parent.is_file() for parent in parents):
        path = folder / key.replace("/", ".")
    write_text(path, text, durable=False)


def _meta(run: ExportedRun, run_id: str, experiment: str, artifacts: str) -> dict[str, Any]:
    return {
        "artifact_uri": artifacts,
        "end_time": _milliseconds(run.head.ended),
        "entry_point_name": "",
        "experiment_id": experiment,
        "lifecycle_stage": "active",
        "run_id": run_id,
        "run_name": run.name or run.head.id[10:16],
        "source_name": "",
        "source_type": 4,
        "source_version": "",
        "start_time": _milliseconds(run.head.started),
        "status": _STATUSES[run.head.status],
        "tags": [],
        "user_id": "",
    }


def run_id_of(run: ExportedRun) -> str:
    """The 32 hex digits by which MLflow knows the run."""
    origin = run.head.origin or {}
    theirs = str(origin.get("id"))
    if origin.get("source") == "mlflow" and _ID.fullmatch(theirs):
        return theirs
    return hashlib.sha256(run.head.id.encode()).hexdigest()[:32]


def _params(run: ExportedRun) -> dict[str, str]:
    return {_key(name): _text(value)[:_LONGEST_PARAM] for name, value in run.params.items()}


def _text(value: Any) -> str:
    """As MLflow's own clients write it: `True`, `None`, `0.1`; lists and tables as JSON."""
    return str(value) if value is None or isinstance(value, bool) else text_of(value)


def _tags(run: ExportedRun) -> dict[str, str]:
    head = run.head
    tags = {"mlctl.run_id": head.id, "mlflow.runName": run.name or head.id[10:16]}
    if head.git is not None and head.git.commit:
        tags["mlflow.source.git.commit"] = head.git.commit
        if head.git.branch:
            tags["mlflow.source.git.branch"] = head.git.branch
    if run.notes:
        tags["mlflow.note.content"] = run.notes[:_LONGEST_TAG]
    if parent := (head.origin or {}).get("parent"):
        tags["mlflow.parentRunId"] = str(parent)
    for tag in run.facts.tags:
        name, _, value = tag.partition("=")
        tags[_key(name)] = value[:_LONGEST_TAG]
    return tags


def _values(run: ExportedRun) -> Iterator[Value]:
    """The logged values, and of the metrics that were not logged the one that there is."""
    started = _milliseconds(run.head.started)
    names = series_names(key for it in run.steps for key in keys_of(it))
    for it in run.steps:
        for key in keys_of(it):
            if (name := names.get(key)) is not None:
                moment = started + round(1000 * it.t)
                step = int(it.step) if math.isfinite(it.step) else 0
                yield _key(name), moment, float(it.metrics[key[2]]), step
    logged = set(names.values())
    for name, value in run.metrics.items():
        if name not in logged:
            yield _key(name), _milliseconds(run.head.ended), float(value), 0


def _key(name: str) -> str:
    """A key that MLflow takes: no character that it refuses, and a path that stays where it is."""
    plain = posixpath.normpath(_REFUSED.sub("_", name)[:_LONGEST_KEY]).lstrip("/")
    return plain.replace("..", "__") if plain != "." else "_"


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _write_by_client(runs: Sequence[ExportedRun], uri: str, project: str) -> None:
    try:
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError:
        raise MissingExtra(
            f"{uri} takes mlflow to write to, which is not installed",
            hint="pip install mlflow, or name a folder",
        ) from None
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(project)
    number = experiment.experiment_id if experiment else client.create_experiment(project)
    theirs: dict[str, str] = {}  # what a run that others are parts of is called now
    for run in runs:
        wanted = f"tags.`mlctl.run_id` = '{run.head.id}'"
        if client.search_runs([number], wanted, max_results=1):
            continue
        tags = _tags(run)
        if parent := theirs.get(tags.pop("mlflow.parentRunId", "")):
            tags["mlflow.parentRunId"] = parent
        started = _milliseconds(run.head.started)
        made = client.create_run(number, started, tags, run_name=tags["mlflow.runName"]).info.run_id
        theirs[str((run.head.origin or {}).get("id"))] = made
        params = [Param(key, value) for key, value in _params(run).items()]
        metrics = [Metric(key, value, moment, step) for key, moment, value, step in _values(run)]
        for at in range(0, len(params), 100):
            client.log_batch(made, params=params[at : at + 100])
        for at in range(0, len(metrics), _BATCH):
            client.log_batch(made, metrics=metrics[at : at + _BATCH])
        client.set_terminated(made, _WORDS[run.head.status], _milliseconds(run.head.ended))
