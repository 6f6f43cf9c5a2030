"""Runs of MLflow: an `mlruns/` folder (its file store) or an SQLite database.

The layout is that of MLflow 1.0 to 3.13: `<experiment>/<run>/{meta.yaml,params/,metrics/,tags/}`,
and the tables `experiments`, `runs`, `metrics`, `latest_metrics`, `params` and `tags`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text
from mlctl.errors import InvalidInput, MlctlError
from mlctl.experiments.foreign import (
    ForeignFile,
    ForeignRun,
    Found,
    Point,
    Unread,
    step_lines,
    typed,
)

SOURCE = "mlflow"
_META = "meta.yaml"
_SQLITE = b"SQLite format 3\x00"
# The numbers are those of the file store, the words those of the database.
_STATUSES = {3: "finished", "FINISHED": "finished", 4: "failed", "FAILED": "failed"}
_STATUSES |= {5: "interrupted", "KILLED": "interrupted"}
_RUNNING = {1, 2, "RUNNING", "SCHEDULED"}
_OWN = "mlflow."  # tags by which MLflow itself remembers something
# What Python raises for a value that is not of its kind.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)
_OURS = "mlctl.run_id"  # the one that `exp export` sets


def claims(path: str) -> bool:
    """Whether `path` holds runs of MLflow."""
    if os.path.isfile(path):
        with open(path, "rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    return bool(_experiments(path))


def read(path: str) -> Iterator[Found]:
    """The runs in an `mlruns/` folder, an experiment's folder in it, or a database file."""
    if os.path.isfile(path):
        yield from _read_database(path)
        return
    for folder in _experiments(path):
        yield from _read_experiment(folder)


def _experiments(path: str) -> list[str]:
    """The experiments' folders in or at `path`, those in MLflow's trash left out."""
    if os.path.basename(os.path.abspath(path)) != "mlruns" and os.path.isdir(
        os.path.join(path, "mlruns")
    ):
        path = os.path.join(path, "mlruns")
    if not os.path.isdir(path):
        return []
    if _is_experiment(path):
        return [path]
    folders = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name[0] != "."]
    return [folder for folder in folders if _is_experiment(folder)]


def _is_experiment(folder: str) -> bool:
    try:
        text = read_text(os.path.join(folder, _META))
    except (OSError, MlctlError):
        return False
    return "experiment_id" in text and "run_id" not in text


def _read_experiment(folder: str) -> Iterator[Found]:
    meta = os.path.join(folder, _META)
    try:
        said = yaml.load(read_text(meta), name=meta)
        experiment = str(said["name"]) if isinstance(said, dict) and said.get("name") else ""
    except MlctlError:
        experiment = ""  # its runs are whole all the same
    for name in sorted(os.listdir(folder)):
        meta = os.path.join(folder, name, _META)
        if not os.path.isfile(meta) or os.path.islink(os.path.join(folder, name)):
            continue
        try:
            yield _read_folder(os.path.join(folder, name), experiment)
        except (OSError, MlctlError, *_DAMAGE) as error:
            yield Unread(meta, _words(error), damaged=True)


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, MlctlError) else f"{type(error).__name__}: {error}"


def _read_folder(folder: str, experiment: str) -> Found:
    meta = yaml.load(read_text(os.path.join(folder, _META)), name=os.path.join(folder, _META))
    if "run_id" not in meta and "run_uuid" not in meta:
        return Unread(folder, "no run, but something else of MLflow's")
    points = [
        point
        for key, file in _files(os.path.join(folder, "metrics"))
        for point in _metric_lines(key, file)
    ]
    return _run(
        {
            **meta,
            "run_id": str(meta.get("run_id") or meta["run_uuid"]),
            "experiment": experiment,
        },
        params={key: read_text(file) for key, file in _files(os.path.join(folder, "params"))},
        tags={key: read_text(file) for key, file in _files(os.path.join(folder, "tags"))},
        points=points,
        artifacts=os.path.join(folder, "artifacts"),
    )


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """The files below a folder by their keys: a key may hold slashes, and is then nested."""
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            yield os.path.relpath(path, folder).replace(os.sep, "/"), path


def _metric_lines(key: str, file: str) -> Iterator[Point]:
    """Lines of milliseconds, value and step; the oldest MLflow wrote no step."""
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        try:
            moment, value = int(parts[0]), float(parts[1])
            step = int(parts[2]) if len(parts) > 2 else 0
        except (ValueError, IndexError):
            raise InvalidInput(f"{file}:{number}: no value of a metric: {line[:80]!r}") from None
        yield key, step, moment / 1000, value


def _read_database(path: str) -> Iterator[Found]:
    beside = os.path.dirname(os.path.abspath(path))
    uri = f"file:{_quoted(os.path.abspath(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.text_factory = _decoded
            database.row_factory = sqlite3.Row
            _index(database)
            for row in database.execute(
                "select r.*, e.name as experiment, e.lifecycle_stage as experiment_stage"
                " from runs r left join experiments e on e.experiment_id = r.experiment_id"
                " order by r.start_time, r.run_uuid"
            ).fetchall():
                try:
                    yield _read_row(database, dict(row), beside)
                except (sqlite3.Error, *_DAMAGE) as error:
                    yield Unread(f"{path}: run {row['run_uuid']}", _words(error), damaged=True)
    except (sqlite3.Error, *_DAMAGE) as error:
        yield Unread(path, f"not a readable database of MLflow: {error}", damaged=True)


def _index(database: sqlite3.Connection) -> None:
    """Make the tables quick to ask by run, which those of MLflow before 2.0 are not.

    A temporary table hides the one that it is a copy of; the file stays as it is.
    """
    for table in ("metrics", "params", "tags"):
        indices = database.execute(f"pragma index_list({table})").fetchall()
        firsts = (database.execute(f"pragma index_info({index['name']})") for index in indices)
        if not any(first.fetchone()["name"] == "run_uuid" for first in firsts):
            database.execute(f"create temp table {table} as select * from main.{table}")  # noqa: S608
            database.execute(f"create index temp.{table}_by_run on {table} (run_uuid)")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _read_row(database: sqlite3.Connection, row: dict[str, Any], beside: str) -> Found:
    run_id = row["run_uuid"]

    def pairs(table: str) -> dict[str, str]:
        found = database.execute(f"select key, value from {table} where run_uuid = ?", (run_id,))  # noqa: S608
        return {key: value or "" for key, value in found}

    columns = {column["name"] for column in database.execute("pragma table_info(metrics)")}
    step = "step" if "step" in columns else "0"
    is_nan = "is_nan" if "is_nan" in columns else "0"
    found = database.execute(
        f"select key, value, timestamp, {step}, {is_nan} from metrics where run_uuid = ?",  # noqa: S608
        (run_id,),
    )
    points = [
        (key, float(step), moment / 1000, float("nan") if nan else _stored(value))
        for key, value, moment, step, nan in found
    ]
    if row.get("experiment_stage") == "deleted":
        row["lifecycle_stage"] = "deleted"
    return _run(
        {**row, "run_id": run_id, "run_name": row.get("name")},
        params=pairs("params"),
        tags=pairs("tags"),
        points=points,
        artifacts=_local(str(row.get("artifact_uri") or ""), beside),
    )


def _stored(value: float) -> float:
    """MLflow writes an infinity as the largest number that a column holds."""
    largest = 1.7976931348623157e308
    return float("inf") if value >= largest else float("-inf") if value <= -largest else value


def _local(uri: str, beside: str) -> str:
    """Where the artifacts lie: as the URI says, or else where they would be beside the database."""
    if "://" in uri and not uri.startswith("file://"):
        return ""
    path = uri.removeprefix("file://")
    if os.path.isdir(path):
        return path
    tail = path.split("/mlruns/", 1)[-1] if "/mlruns/" in path else path.split("/mlartifacts/")[-1]
    return next(
        (
            folder
            for name in ("mlruns", "mlartifacts")
            if os.path.isdir(folder := os.path.join(beside, name, tail))
        ),
        "",
    )


def _run(
    meta: Mapping[str, Any],
    *,
    params: Mapping[str, str],
    tags: Mapping[str, str],
    points: list[Point],
    artifacts: str,
) -> Found:
    run_id, status = meta["run_id"], meta.get("status")
    if meta.get("lifecycle_stage") == "deleted":
        return Unread(run_id, "deleted in MLflow")
    started = _seconds(meta.get("start_time")) or min((point[2] for point in points), default=None)
    if started is None:
        return Unread(run_id, "it says no time at which it started", damaged=True)
    if status in _RUNNING and meta.get("end_time") in (None, 0):
        status = 5  # a run that nobody ended: MLflow says for ever that it runs
    last = max((point[2] for point in points), default=started)
    return ForeignRun(
        SOURCE,
        run_id,
        started,
        max(_seconds(meta.get("end_time")) or last, started),
        status=_STATUSES.get(status, "finished") if status is not None else "finished",
        name=tags.get("mlflow.runName") or meta.get("run_name") or None,
        params={key: typed(value) for key, value in sorted(params.items())},
        steps=step_lines(points, started),
        tags=tuple(_own_tags(tags, str(meta.get("experiment") or ""))),
        notes=tags.get("mlflow.note.content", ""),
        commit=tags.get("mlflow.source.git.commit"),
        branch=tags.get("mlflow.source.git.branch"),
        parent=tags.get("mlflow.parentRunId"),
        ours=tags.get(_OURS),
        files=tuple(_artifacts(artifacts)),
    )


def _seconds(milliseconds: Any) -> float | None:
    return None if milliseconds in (None, "", 0) else float(milliseconds) / 1000


def _own_tags(tags: Mapping[str, str], experiment: str) -> Iterable[str]:
    """What the user tagged, and the experiment, unless it is the one that is always there."""
    if experiment and experiment != "Default" and "experiment" not in tags:
        yield f"experiment={experiment}"
    for key, value in sorted(tags.items()):
        if not key.startswith(_OWN) and key != _OURS:
            yield f"{key}={value}" if value else key


def _artifacts(folder: str) -> Iterator[ForeignFile]:
    for name, path in sorted(_files(folder)) if folder else ():
        if not os.path.islink(path):
            yield ForeignFile(name, path)
