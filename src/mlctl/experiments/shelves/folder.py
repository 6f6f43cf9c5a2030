"""Records as folders of the work tree: `runs/<day>/<id>/`.

A folder is looked at by its change time, which nobody can set: it moves when a file in it comes,
goes or is replaced, as git does it. A look at a folder that changed a moment ago proves nothing,
for it may change again within the same tick of the clock, so such a look is not remembered.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b

from mlctl.records.run import run_folder
from mlctl.records.ulid import LENGTH
from mlctl.store.state import COARSE_MARGIN, MARGIN, signature

RUNS, EVENTS, HEAD = "runs", "events", "run.json"
_DAY = len("20261123")
_PLAIN = 2  # links of a folder that has no folder in it, where the file system counts them


@dataclass(frozen=True, slots=True)
class Day:
    """The records of a day: a sign by id, empty where the folder is too young to be trusted.

    `digest` stands for all of it; it is empty where one of the signs is.
    """

    signs: dict[str, str]
    digest: str


def days(root: str) -> list[str]:
    """The folders of days, in order."""
    return sorted(d for d in names_in(os.path.join(root, RUNS)) if d.isdigit() and len(d) == _DAY)


def look(root: str, day: str, began: int) -> Day:
    """The records of a day as they are from `began` on (ns since 1970)."""
    path = os.path.join(root, RUNS, day)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # a file of that name, or gone just now
        return Day({}, "")
    try:
        names = sorted(name for name in os.listdir(handle) if len(name) == LENGTH)
        times = [_change_times(handle, name) for name in names]
    finally:
        os.close(handle)
    young = max(map(max, times), default=0) >= began - COARSE_MARGIN
    signs = {
        name: f"{own} {events}" if not young or _settled(own, events, began) else ""
        for name, (own, events) in zip(names, times, strict=True)
    }
    if young and not all(signs.values()):
        return Day(signs, "")
    text = "\n".join([*signs, *signs.values()])
    return Day(signs, blake2b(text.encode(), digest_size=16).hexdigest())


def part(root: str, run_id: str, name: str) -> bytes | None:
    """A file of a record, or None."""
    return read_or_none(os.path.join(root, run_folder(run_id), name))


def event_names(root: str, run_id: str) -> list[str]:
    """The names of the files of a record's events, in order."""
    return sorted(names_in(os.path.join(root, run_folder(run_id), EVENTS)))


def file_sign(path: str) -> str:
    """What tells one content of a file from the next; empty where there is no file."""
    try:
        sign = signature(os.stat(path))
    except OSError:
        return ""
    return f"{sign.mtime} {sign.ctime} {sign.size} {sign.inode}"


def names_in(folder: str) -> list[str]:
    """What is in a folder; nothing where there is none."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_or_none(path: str) -> bytes | None:
    """The bytes of a file, or None where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _change_times(day: int, name: str) -> tuple[int, int]:
    """Of a record's folder and of that of its events, in ns since 1970; 0 where there is none."""
    try:
        status = os.stat(name, dir_fd=day)
        if status.st_nlink == _PLAIN:
            return status.st_ctime_ns, 0
    except OSError:
        return 0, 0
    try:
        return status.st_ctime_ns, os.stat(f"{name}/{EVENTS}", dir_fd=day).st_ctime_ns
    except OSError:
        return status.st_ctime_ns, 0


def _settled(own: int, events: int, began: int) -> bool:
    """Whether no change that is still to come can leave these times as they are (store.state)."""
    coarse = not (own % 1_000_000_000 or events % 1_000_000_000)
    return bool(own) and max(own, events) < began - (COARSE_MARGIN if coarse else MARGIN)
