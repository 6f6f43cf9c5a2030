"""Runs that are a CSV: Lightning's `metrics.csv`, Ultralytics' `results.csv`, Keras' CSV log.

A line is a step or an epoch, a column a metric; cells may be empty. The parameters are in a YAML
file beside it: `hparams.yaml` (Lightning), `args.yaml` (Ultralytics).
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text
from mlctl.adapters.git import git
from mlctl.errors import InvalidInput, MlctlError
from mlctl.experiments.foreign import ForeignRun, Found, Unread
from mlctl.records.run_metrics import StepLine

SOURCE = "csv"
_NAMES = ("metrics.csv", "results.csv")
_STEPS = ("step", "epoch")  # the columns that say where a line stands, the finer one first
_PARAMS = ("hparams.yaml", "args.yaml")
_DEEPEST = 4  # folders below the one that is asked for: runs/detect/train/results.csv
_FOLDERS = ("lightning_logs", "csv_logs", "detect", "segment", "classify", "pose", "obb")


def claims(path: str) -> bool:
    """Whether `path` is such a CSV, a run's folder, or one in which these tools keep their runs."""
    if os.path.isfile(path):
        return path.endswith(".csv") and _is_log(path)
    is_theirs = os.path.basename(os.path.abspath(path)) in _FOLDERS
    return any(is_theirs or os.path.dirname(log) == path for log in _logs(path))


def read(path: str) -> Iterator[Found]:
    """The runs of one CSV, or of all that are called as these tools do at and below a folder."""
    top = os.path.dirname(path) if os.path.isfile(path) else path
    for log in [path] if os.path.isfile(path) else _logs(path):
        try:
            yield _run(log, top)
        except (OSError, MlctlError, csv.Error) as error:
            yield Unread(log, str(error), damaged=True)


def _logs(path: str) -> list[str]:
    found = []
    for folder, below, names in os.walk(path):
        depth = os.path.relpath(folder, path).count(os.sep) + 1
        below[:] = sorted(name for name in below if name[0] != ".") if depth <= _DEEPEST else []
        logs = (os.path.join(folder, name) for name in _NAMES if name in names)
        found += [log for log in logs if _is_log(log)]
    return found


def _is_log(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            first = file.readline(65536)
    except (OSError, UnicodeDecodeError):
        return False
    return not {name.strip() for name in first.split(",")}.isdisjoint(_STEPS)


def _run(log: str, top: str) -> Found:
    text = read_text(log)
    params = _params(os.path.dirname(log))
    lines = tuple(_lines(text, log))
    if not lines:
        return Unread(log, "it holds no values")
    last = max(it.t for it in lines)
    started = _written_at(log) - last
    place = os.path.abspath(log).split(os.sep)[:-1]
    # A log only grows: its first lines and its parameters tell it from others of its name.
    begin = "\n".join([*text.splitlines()[:2], *(f"{k}={v}" for k, v in sorted(params.items()))])
    chance = hashlib.sha256(begin.encode("utf-8", "replace")).hexdigest()[:16]
    relative = os.path.relpath(os.path.dirname(log) or ".", top or ".").replace(os.sep, "/")
    return ForeignRun(
        SOURCE,
        f"{'/'.join(place[-2:])}-{chance}",
        max(started, 0.0),
        max(started, 0.0) + last,
        name=relative if relative != "." else place[-1],
        params=params,
        steps=lines,
    )


def _params(folder: str) -> dict[str, Any]:
    for name in _PARAMS:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            found = yaml.load(_untagged(read_text(path)), name=path)
            if isinstance(found, Mapping):
                return {str(key): value for key, value in found.items() if not _is_path(value)}
    return {}


def _untagged(text: str) -> str:
    """Lightning dumps objects with tags of Python's, which stand for nothing here."""
    return "\n".join(line for line in text.split("\n") if "!!python" not in line)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and os.path.isabs(value)


def _lines(text: str, log: str) -> Iterator[StepLine]:
    rows = csv.reader(io.StringIO(text, newline=""))
    names = [name.strip() for name in next(rows, [])]
    column = next((name for name in _STEPS if name in names), None)
    if column is None:
        raise InvalidInput(f"{log}: no column is called step or epoch")
    whole = text.endswith("\n")
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            if not whole and rows.line_num == text.count("\n") + 1:
                return  # it is being written
            raise InvalidInput(
                f"{log}:{rows.line_num}: {len(row)} cells under {len(names)} columns"
            )
        cells = dict(zip(names, row, strict=True))
        values = {name: _number(cell, log, rows.line_num) for name, cell in cells.items() if cell}
        step, seconds = values.pop(column, None), values.pop("time", None)
        if step is not None and values:
            yield StepLine(values, _whole(step), 0.0 if seconds is None else seconds)


def _number(cell: str, log: str, line: int) -> float:
    try:
        return _whole(float(cell))
    except ValueError:
        raise InvalidInput(f"{log}:{line}: not a number: {cell[:40]!r}") from None


def _whole(value: float) -> float:
    return int(value) if abs(value) < 2**53 and value == int(value) else value


def _written_at(log: str) -> float:
    """When the log was committed, else when it was last written, in seconds since 1970.

    A clone's files are as old as the clone, so the commit is the same for everybody.
    """
    folder, name = os.path.split(os.path.abspath(log))
    said = git("log", "-1", "--format=%ct", "--", name, cwd=folder, check=False)
    stamp = said.stdout.strip()
    return float(stamp) if said.code == 0 and stamp else os.path.getmtime(log)
