"""What the processes of a run log while it goes on: `.mlctl/live/<run>/<stage>/`.

The processes write, and nothing but them: files grow at their end, and a process that was killed
may leave a torn last line. Whatever cannot be read here is passed over, for a run must get its
record. What a line holds stands in docs/formats/run.md.
"""

from __future__ import annotations

import heapq
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.adapters import clock
from mlctl.adapters.files import is_locked, remove_tree
from mlctl.records.canonical import number
from mlctl.records.run_metrics import StepLine
from mlctl.records.ulid import is_ulid

START, END, LOCK = "start.json", "end.json", "lock"  # of a run outside of a pipeline
_MARKS = (".dvc", "mlctl.yaml", ".git")
_PATIENCE = 60.0  # seconds from the start of a run until it must hold its lock
_METRICS = re.compile(r"metrics(?:\.rank([0-9]+))?\.jsonl")


@dataclass(frozen=True, slots=True)
class Source:
    """The folder of one stage (None outside of a pipeline); absolute."""

    folder: str
    stage: str | None


@dataclass(frozen=True, slots=True)
class LoggedFile:
    """One file that was logged; `path` is absolute."""

    kind: str
    name: str
    path: str
    step: float | None


def project_root(start: str) -> str:
    """The project that a script in the folder `start` belongs to, as `mlctl.start_run` finds it:
    the nearest folder at or above it with `.dvc`, `mlctl.yaml` or `.git`, else `start` itself.
    """
    folder = os.path.abspath(start)
    while not any(os.path.exists(os.path.join(folder, mark)) for mark in _MARKS):
        parent = os.path.dirname(folder)
        if parent == folder:
            return os.path.abspath(start)
        folder = parent
    return folder


def live_folder(root: str, run_id: str = "") -> str:
    """Where a run logs while it goes on."""
    return os.path.join(root, ".mlctl", "live", run_id)


def live_runs(root: str) -> list[str]:
    """The ids of the runs that have logged something, and have no record yet, oldest first."""
    try:
        names = os.listdir(live_folder(root))
    except OSError:
        return []
    return sorted(filter(is_ulid, names))


def is_of_python(root: str, run_id: str) -> bool:
    """Whether a live run began in a script, outside of a pipeline."""
    return os.path.exists(os.path.join(live_folder(root, run_id), START))


def has_ended(root: str, run_id: str) -> bool:
    """Whether a live run of a script is over: it says so, or its process is gone."""
    folder = live_folder(root, run_id)
    if os.path.exists(os.path.join(folder, END)):
        return True
    try:
        return not is_locked(os.path.join(folder, LOCK))
    except FileNotFoundError:  # it is about to make it, or was killed before that
        try:
            return clock.now() - os.stat(os.path.join(folder, START)).st_mtime > _PATIENCE
        except FileNotFoundError:  # another process has just adopted it, and taken it away
            return False
    except OSError:
        return False


def sources(root: str, run_id: str) -> list[Source]:
    """The folders of a run, by name. Costs one failed look where it logged nothing."""
    from urllib.parse import unquote  # a listing of runs imports this module, and not that

    top = live_folder(root, run_id)
    try:
        names = sorted(os.listdir(top))
    except OSError:
        return []
    of_python = START in names
    return [
        Source(folder, None if of_python else unquote(name))
        for name in names
        if os.path.isdir(folder := os.path.join(top, name))
    ]


def forget(root: str, run_id: str) -> None:
    """Remove what a run logged: its record has it now. At once, for another process may look."""
    folder = live_folder(root, run_id)
    if os.path.isdir(folder):
        aside = os.path.join(root, ".mlctl", "tmp", f"live-{run_id}-{os.getpid()}")
        os.makedirs(os.path.dirname(aside), exist_ok=True)
        os.rename(folder, aside)
        remove_tree(aside)


def read_object(path: str) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none."""
    try:
        with open(path, "rb") as file:
            data = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def step_lines(found: Sequence[Source], began: float) -> Iterator[StepLine]:
    """What all processes of a run logged, in the order of time, read as it is asked for.

    `began` is when the run did, in seconds since 1970.
    """
    logs = [_steps(*log, began) for source in found for log in metric_files(source)]
    return heapq.merge(*logs, key=lambda it: it.t)


def logged_params(source: Source) -> dict[str, Any]:
    """The parameters that a stage's processes logged; the latest of each."""
    params: dict[str, Any] = {}
    for row in _rows(os.path.join(source.folder, "params.jsonl")):
        values = row.get("params")
        if isinstance(values, Mapping):
            params.update(values)
    return params


def logged_files(source: Source) -> list[LoggedFile]:
    """The files that a stage's processes logged, in their order, as far as they are there."""
    found = []
    for row in _rows(os.path.join(source.folder, "artifacts.jsonl")):
        kind, name, path = row.get("kind"), row.get("name"), row.get("path")
        if not (isinstance(kind, str) and isinstance(name, str) and isinstance(path, str)):
            continue
        place = os.path.join(source.folder, path)
        if os.path.exists(place):
            found.append(LoggedFile(kind, name, place, _number(row.get("step"))))
    return found


def metric_files(source: Source) -> Iterator[tuple[str, str | None, int]]:
    """The files that a stage's processes log metrics to: path, stage, rank."""
    for name in sorted(os.listdir(source.folder)):
        if form := _METRICS.fullmatch(name):
            yield os.path.join(source.folder, name), source.stage, int(form[1] or 0)


def step_line(row: Any, stage: str | None, rank: int, began: float) -> StepLine | None:
    """What one line of such a file says; None for what is not as it should be."""
    if not isinstance(row, dict):
        return None
    step, time, values = _number(row.get("step")), _number(row.get("time")), row.get("metrics")
    if step is None or time is None or not isinstance(values, Mapping):
        return None
    numbers = {name: _number(value) for name, value in values.items()}
    metrics = {name: value for name, value in numbers.items() if value is not None}
    return (
        StepLine(metrics, step, round(max(time - began, 0.0), 3), stage, rank) if metrics else None
    )


def _steps(path: str, stage: str | None, rank: int, began: float) -> Iterator[StepLine]:
    for row in _rows(path):
        if (it := step_line(row, stage, rank, began)) is not None:
            yield it


def _rows(path: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in the lines of a file, without those that are torn."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below, when the last line is read
    except OSError:
        return
    with file:
        for text in file:
            try:
                row = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                yield row


def _number(value: Any) -> float | None:
    try:
        return number(value)
    except (ValueError, TypeError):
        return None
