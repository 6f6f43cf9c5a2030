"""The journal of a run: each finished stage is one line, until the lines are folded into the locks.

`.mlctl/journal/<run id>.jsonl` is held by its run for as long as the run lives. One that nobody
holds was left by a run that was killed: any verb of ours brings it into the locks. A line is
`{"lock": …, "stage": …, "entry": …, "was": …}` with texts of the entry as `dvc.lock` has it; a
line that a crash cut short is ignored, and folding twice gives the same locks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from mlctl.adapters import files, yaml
from mlctl.errors import ConfigError
from mlctl.pipeline import lockfile
from mlctl.pipeline.lockschema import check_stage
from mlctl.pipeline.spec import LockedStage

FOLDER = os.path.join(".mlctl", "journal")
Entries = dict[str, dict[str, LockedStage]]  # lock key -> stage name -> what it recorded


class Journal:
    """The journal of one living run."""

    def __init__(self, root: str, run_id: str) -> None:
        self._path = os.path.join(root, FOLDER, f"{run_id}.jsonl")
        self._handle: int | None = None

    def append(self, lock: str, name: str, entry: str, was: str | None) -> None:
        """Write down that the stage `name` of `lock` is done, in one write.

        `entry` is its text as the lock will have it (`lockfile.stage_text`), `was` as the run found
        it there, None where it was not. It is not synced:
        after a power cut the stage is judged by its files again, and nothing is lost but the time
        to look.
        """
        if self._handle is None:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._handle = self._open()
        record = {"lock": lock, "stage": name, "entry": entry, "was": was}
        os.write(self._handle, (json.dumps(record) + "\n").encode())

    def _open(self) -> int:
        while True:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            files.hold(handle)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self._path), os.fstat(handle)):
                    return handle
            os.close(handle)  # taken for abandoned, and removed, before we held it

    def clear(self) -> None:
        """The locks hold what was appended so far."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)

    def close(self) -> None:
        """The run is over, and all of it is in the locks."""
        if self._handle is not None:
            os.unlink(self._path)
        self.abandon()

    def abandon(self) -> None:
        """The run broke off: what is written down stays for whoever recovers it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def abandoned(root: str) -> list[str]:
    """The journals of runs that were killed, oldest first."""
    folder = os.path.join(root, FOLDER)
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    paths = [os.path.join(folder, name) for name in names if name.endswith(".jsonl")]
    return [path for path in paths if not _is_held(path)]


def recover(
    root: str,
    path: str,
    order: Callable[[str], Sequence[str]],
    recovered: Callable[[Entries], None] = lambda _: None,
) -> None:
    """Bring the journal at `path` into the locks, call `recovered` with it, and remove it.

    What somebody else has recorded of a stage since the run found it stays: theirs is newer.
    `order` gives the serial order of the stages of a lock. The caller holds the repository against
    other writers. A kill in between leaves a journal that is recovered again.
    """
    written: Entries = {}
    for lock, lines in _read(path).items():
        target = os.path.join(root, lock)
        before = files.read_text(target, name=lock) if os.path.exists(target) else None
        there = _texts(before, lock)
        stages = written[lock] = {
            name: locked
            for name, (locked, was) in lines.items()
            if there.get(name) in (was, lockfile.stage_text(name, locked))
        }
        after = lockfile.splice(before, stages, order(lock))
        if after != before:
            files.write_text(target, after)
            files.sync_folder(os.path.dirname(target))
    recovered(written)
    with suppress(FileNotFoundError):
        os.unlink(path)


def _texts(text: str | None, lock: str) -> dict[str, str]:
    """Each stage of a lock as it would be written: what tells one entry from another."""
    stages = lockfile.parse_text(text, name=lock).stages if text else {}
    return {name: lockfile.stage_text(name, locked) for name, locked in stages.items()}


def _read(path: str) -> dict[str, dict[str, tuple[LockedStage, str | None]]]:
    entries: dict[str, dict[str, tuple[LockedStage, str | None]]] = {}
    try:
        with open(path, "rb") as file:
            *lines, _torn = file.read().split(b"\n")
    except FileNotFoundError:
        return {}
    for lock, stage, locked, was in _records(lines):
        entries.setdefault(lock, {})[stage] = locked, was
    return entries


def _records(lines: list[bytes]) -> Iterator[tuple[str, str, LockedStage, str | None]]:
    for line in lines:
        with suppress(ValueError, KeyError, TypeError, ConfigError):
            record: Mapping[str, Any] = json.loads(line)
            body = yaml.load(record["entry"], name=record["lock"])[record["stage"]]
            check_stage(body, "entry", _fail)
            yield record["lock"], record["stage"], lockfile.locked_stage(body), record["was"]


def _is_held(path: str) -> bool:
    try:
        return files.is_locked(path)
    except FileNotFoundError:  # its run has just ended
        return True


def _fail(message: str, where: str, hint: str | None = None) -> NoReturn:
    raise ConfigError(message, file="journal", where=where, hint=hint)
