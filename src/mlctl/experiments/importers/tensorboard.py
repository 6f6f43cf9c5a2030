"""Runs in TensorBoard's event files: a folder that has such files is a run.

A file is a row of TFRecords, each an `Event` (tensorflow/core/util/event.proto). Scalars are read,
as PyTorch (`simple_value`) and as TensorFlow 2 (a tensor of one number) write them, and the
hyperparameters that the HParams plug-in keeps.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from typing import Any

from mlctl.experiments.foreign import ForeignRun, Found, Point, Unread, step_lines
from mlctl.experiments.importers._wire import (
    fields,
    integer,
    masked_crc32c,
    messages,
    numbers,
    packed_integers,
    text,
)

SOURCE = "tensorboard"
_MARK = "tfevents"
_CHECKED = 4096  # bytes of a record whose data is checked: scalars are small, images are not read
_LONGEST = 1 << 30  # bytes that no record has
_SESSION = "_hparams_/session_start_info"
# The element types of a tensor: how its bytes are unpacked.
_TYPES = {1: "f", 2: "d", 3: "i", 9: "q", 19: "e"}


class _Damaged(ValueError):
    """A file is damaged before its end."""


def claims(path: str) -> bool:
    """Whether there are event files at or below `path`."""
    return next(_folders(path), None) is not None


def read(path: str) -> Iterator[Found]:
    """The runs at and below `path`, a folder or one event file."""
    top = path if os.path.isdir(path) else os.path.dirname(path) or "."
    for folder, files in _folders(path):
        relative = os.path.relpath(folder, top).replace(os.sep, "/")
        name = relative if relative != "." else os.path.basename(os.path.abspath(folder))
        try:
            yield _run(name, folder, files)
        except (OSError, ValueError, struct.error) as error:
            yield Unread(folder, str(error), damaged=True)


def _folders(path: str) -> Iterator[tuple[str, list[str]]]:
    """The folders with event files, sorted, and the files' names: they begin with their time."""
    if os.path.isfile(path):
        if _MARK in os.path.basename(path):
            yield os.path.dirname(path) or ".", [os.path.basename(path)]
        return
    for folder, below, names in os.walk(path):
        below.sort()
        if files := sorted(name for name in names if _MARK in name):
            yield folder, files


def _run(name: str, folder: str, files: list[str]) -> Found:
    points: list[Point] = []
    params: dict[str, Any] = {}
    times: list[float] = []
    for file in files:
        _read_file(os.path.join(folder, file), points, params, times)
    if not points and not params:
        return Unread(folder, "it holds no scalars")
    # The name of a file holds that of its machine, which is nobody's business.
    chance = hashlib.sha256(files[0].encode("utf-8", "replace")).hexdigest()[:16]
    started = min(times)
    return ForeignRun(
        SOURCE,
        f"{os.path.basename(os.path.abspath(folder))}-{chance}",
        started,
        max(times),
        name=name,
        params=params,
        steps=step_lines(points, started),
    )


def _read_file(path: str, points: list[Point], params: dict[str, Any], times: list[float]) -> None:
    with open(path, "rb") as file:
        content = file.read()
    for at, record in _records(content, path):
        try:
            _read_event(record, points, params, times)
        except (ValueError, struct.error) as error:
            raise _Damaged(f"{path}: at byte {at} is no event: {error}") from None


def _records(content: bytes, path: str) -> Iterator[tuple[int, bytes]]:
    """The whole records, with their places. One that is cut off at the end is still written."""
    at = 0
    while at + 12 <= len(content):
        size, check = struct.unpack_from("<QI", content, at)
        if masked_crc32c(content[at : at + 8]) != check or size > _LONGEST:
            raise _Damaged(f"{path}: at byte {at} is no record: its checksum is wrong")
        end = at + 12 + size
        if end + 4 > len(content):
            return
        record = content[at + 12 : end]
        if size <= _CHECKED and struct.unpack_from("<I", content, end)[0] != masked_crc32c(record):
            raise _Damaged(f"{path}: the record at byte {at} is damaged: its checksum is wrong")
        yield at, record
        at = end + 4


def _read_event(
    event: bytes, points: list[Point], params: dict[str, Any], times: list[float]
) -> None:
    """Event: 1 wall time, 2 step, 5 summary, of which 1 are the values."""
    seconds = next((numbers("d", value)[0] for n, wire, value in fields(event) if n == 1), None)
    if seconds is None or seconds <= 0:
        return
    step = integer(event, 2)
    for value in (value for summary in messages(event, 5) for value in messages(summary, 1)):
        tag, number = text(value, 1), _scalar(value)
        if tag == _SESSION:
            params.update(_hyperparameters(value))
        elif number is not None and tag:
            points.append((tag, step, seconds, number))
        else:
            continue
        times.append(seconds)


def _scalar(value: bytes) -> float | None:
    """Value: 2 a float, 8 a tensor, 9 metadata, of which 1.1 names the plug-in."""
    for number, _, content in fields(value):
        if number == 2:
            return _short(numbers("f", content)[0])
        if number == 8 and isinstance(content, bytes):
            plugins = [text(it, 1) for meta in messages(value, 9) for it in messages(meta, 1)]
            return _of_tensor(content) if plugins in ([], ["scalars"]) else None
    return None


def _of_tensor(tensor: bytes) -> float | None:
    """TensorProto: 1 type, 4 bytes, 5 floats, 6 doubles, 7 and 10 integers. Only one number."""
    kind = _TYPES.get(integer(tensor, 1))
    if kind is None:
        return None
    found: list[float] = []
    for number, _, content in fields(tensor):
        if number == 4 and isinstance(content, bytes) and len(content) == struct.calcsize(kind):
            found += struct.unpack(f"<{kind}", content)
        elif number in (5, 6):
            found += numbers("f" if number == 5 else "d", content)
        elif number in (7, 10):
            found += packed_integers(content)
    return (_short(found[0]) if kind == "f" else found[0]) if len(found) == 1 else None


def _short(value: float) -> float:
    """The shortest decimal number that is `value` in 32 bits: 0.9 for 0.8999999761581421."""
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short) < 3e38 and struct.pack("<f", short) == struct.pack("<f", value):
            return short
    return value


def _hyperparameters(value: bytes) -> Iterator[tuple[str, Any]]:
    """Metadata 9 > plug-in data 1 > content 2 > session 3 > entries 1: a key and a JSON value."""
    data = [value]
    for number in (9, 1, 2, 3, 1):
        data = [inner for it in data for inner in messages(it, number)]
    for entry in data:
        for held in messages(entry, 2):
            for number, _, content in fields(held):
                if number == 2:
                    yield text(entry, 1), _whole(numbers("d", content)[0])
                elif number == 3:
                    yield text(entry, 1), text(held, 3)
                elif number == 4:
                    yield text(entry, 1), bool(content)


def _whole(value: float) -> float:
    return int(value) if abs(value) < 2**53 and value == int(value) else value
