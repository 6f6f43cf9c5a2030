"""Runs of Weights & Biases that were kept offline: `offline-run-*/run-<id>.wandb`.

The file is a log in LevelDB's framing (blocks of 32 kB, a header of 7 bytes before each piece), of
protobuf `Record`s (wandb/proto/wandb_internal.proto). It is that of wandb 0.10 to 0.31.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mlctl.experiments.foreign import ForeignFile, ForeignRun, Found, Unread, step_lines
from mlctl.experiments.importers._wire import integer, messages, text
from mlctl.experiments.naming import flat

SOURCE = "wandb"
_HEADER = b":W&B\xe1\xbe\x00"
_BLOCK, _PIECE = 32768, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
# The fields of a Record.
_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT, _ENVIRONMENT = 2, 3, 5, 17, 18, 26
# What W&B itself writes beside what the run saved.
_OWN_FILES = ("wandb-summary.json", "wandb-metadata.json", "config.yaml", "requirements.txt",
              "conda-environment.yaml", "output.log", "diff.patch")  # fmt: skip


@dataclass(slots=True)
class _Read:
    """What the records say, as far as they are read."""

    run: bytes = b""
    environment: bytes = b""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    exit_code: int | None = None


def claims(path: str) -> bool:
    """Whether there is a run of W&B at `path`, in it, or in the `wandb` folder in it."""
    return bool(_logs(path))


def read(path: str) -> Iterator[Found]:
    """The runs in a `wandb` folder, the folder of one run, or one `.wandb` file."""
    for log in _logs(path):
        try:
            yield _run(log)
        except (OSError, ValueError, struct.error) as error:
            yield Unread(log, str(error), damaged=True)


def _logs(path: str) -> list[str]:
    if os.path.isfile(path):
        return [path] if path.endswith(".wandb") else []
    for folder in (path, os.path.join(path, "wandb")):
        if not os.path.isdir(folder):
            continue
        runs = [folder, *(os.path.join(folder, name) for name in sorted(os.listdir(folder)))]
        found = [
            os.path.join(run, name)
            for run in runs
            if os.path.isdir(run) and not os.path.islink(run)  # `latest-run` is one of the others
            for name in sorted(os.listdir(run))
            if name.endswith(".wandb")
        ]
        if found:
            return found
    return []


def _run(log: str) -> Found:
    with open(log, "rb") as file:
        content = file.read()
    if not content.startswith(_HEADER[:4]):
        raise ValueError(f"{log}: not a log of W&B: it begins with other bytes")
    found = _Read()
    for record in _records(content, log):
        _take(record, found)
    if not found.run:
        return Unread(log, "it holds no run")
    return _foreign(log, found)


def _records(content: bytes, log: str) -> Iterator[bytes]:
    """The whole records. What is cut off at the end is passed over: the process was killed."""
    at, parts = len(_HEADER), b""
    while at + _PIECE <= len(content):
        room = _BLOCK - at % _BLOCK
        if room < _PIECE:
            at += room
            continue
        check, size, kind = struct.unpack_from("<IHB", content, at)
        data = content[at + _PIECE : at + _PIECE + size]
        if len(data) < size or not (check or size or kind):
            return
        if zlib.crc32(data, zlib.crc32(bytes([kind]))) != check:
            raise ValueError(f"{log}: the record at byte {at} is damaged: its checksum is wrong")
        parts = data if kind in (_FULL, _FIRST) else parts + data
        if kind in (_FULL, _LAST):
            yield parts
        at += _PIECE + size


def _take(record: bytes, found: _Read) -> None:
    for run in messages(record, _RUN):
        found.run = run
        for config in messages(run, 4):
            found.config.update(_updates(config, 1))
    for config in messages(record, _CONFIG):
        found.config.update(_updates(config, 1))
    for summary in messages(record, _SUMMARY):
        found.summary.update(_updates(summary, 1))
    for history in messages(record, _HISTORY):
        values = dict(_updates(history, 1))
        step = next((integer(it, 1) for it in messages(history, 2)), None)
        found.history.append((int(values.get("_step", 0)) if step is None else step, values))
    for environment in messages(record, _ENVIRONMENT):
        found.environment += environment  # joined, messages are one: it comes in parts
    for ended in messages(record, _EXIT):
        found.exit_code = integer(ended, 1)


def _updates(message: bytes, number: int) -> Iterator[tuple[str, Any]]:
    """Items: 1 a key, 2 the parts of a nested key, 16 the value as JSON."""
    for item in messages(message, number):
        nested = [part.decode("utf-8", "replace") for part in messages(item, 2)]
        key = ".".join(nested) or text(item, 1)
        try:
            yield key, json.loads(text(item, 16))
        except json.JSONDecodeError:
            yield key, text(item, 16)


def _foreign(log: str, found: _Read) -> ForeignRun:
    run, environment = found.run, found.environment
    started = _moment(run, 17) or _moment(environment, 3)
    moments = [values["_timestamp"] for _, values in found.history if "_timestamp" in values]
    started = started or min(moments, default=0.0) or os.path.getmtime(log)
    points = [
        (name, float(step), float(values.get("_timestamp", started)), value)
        for step, values in found.history
        for name, value in _figures(values)
    ]
    git = next((it for owner in (run, environment) for it in _git(owner, run)), b"")
    ended = max([started, *moments, started + _number(found.summary.get("_runtime"))])
    statuses = {None: "interrupted", 0: "finished"}
    return ForeignRun(
        SOURCE,
        "/".join(filter(None, (text(run, 2), text(run, 3), text(run, 1)))),
        started,
        ended,
        status=statuses.get(found.exit_code, "failed"),
        name=text(run, 8) or None,
        params={name: value for name, value in found.config.items() if name != "_wandb"},
        metrics=_last(found.summary, {point[0] for point in points}),
        steps=step_lines(points, started),
        tags=tuple(tag.decode("utf-8", "replace") for tag in messages(run, 10)),
        notes=text(run, 9),
        commit=text(git, 2) or None,
        python=text(environment, 2),
        platform=text(environment, 1),
        files=tuple(_files(os.path.join(os.path.dirname(log), "files"))),
    )


def _git(owner: bytes, run: bytes) -> Iterator[bytes]:
    return messages(owner, 21 if owner is run else 9)


def _moment(message: bytes, number: int) -> float:
    for stamp in messages(message, number):
        return integer(stamp, 1) + integer(stamp, 2) / 1e9
    return 0.0


def _figures(values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers among values, by dotted name; W&B's own begin with `_`, media have a `_type`."""
    for name, value in values.items():
        if name.startswith("_") or (isinstance(value, dict) and "_type" in value):
            continue
        for dotted, it in flat({name: value}).items():
            if isinstance(it, int | float) and not isinstance(it, bool):
                yield dotted, it
            elif it in ("NaN", "Infinity", "-Infinity"):
                yield dotted, float(it)


def _last(summary: dict[str, Any], logged: set[str]) -> dict[str, float]:
    return {name: value for name, value in _figures(summary) if name not in logged}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _files(folder: str) -> Iterator[ForeignFile]:
    for top, below, names in os.walk(folder):
        below.sort()
        for name in sorted(names):
            path = os.path.join(top, name)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            if relative not in _OWN_FILES and not os.path.islink(path):
                yield ForeignFile(relative, path)
