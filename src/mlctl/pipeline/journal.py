"""The journal of a run: each finished stage is one line, until the lines fold into the lock.

A line is `{"stage": …, "entry": …}`, with the entry's text as `dvc.lock` has it. A line that a
crash cut short is ignored; folding twice gives the same lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn
from urllib.parse import quote, unquote

from mlctl.adapters import files, yaml
from mlctl.errors import ConfigError
from mlctl.pipeline import lockfile
from mlctl.pipeline.lockschema import check_stage
from mlctl.pipeline.spec import LockedStage

FOLDER = os.path.join(".mlctl", "journal")


class Journal:
    """The journals below `root`, one for each lock; a lock is named by its key (`sub/dvc.lock`)."""

    def __init__(self, root: str) -> None:
        self._root = root

    def path(self, lock: str) -> str:
        """The journal of `lock`."""
        return os.path.join(self._root, FOLDER, quote(lock, safe="") + ".jsonl")

    def pending(self) -> list[str]:
        """The keys of the locks that have a journal, sorted."""
        try:
            names = os.listdir(os.path.join(self._root, FOLDER))
        except FileNotFoundError:
            return []
        return sorted(unquote(n.removesuffix(".jsonl")) for n in names if n.endswith(".jsonl"))

    def append(self, lock: str, name: str, locked: LockedStage) -> None:
        """Write down that the stage `name` is done: one write, on disk when this returns."""
        path = self.path(lock)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        record = {"stage": name, "entry": lockfile.stage_text(name, locked)}
        line = json.dumps(record) + "\n"
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, ("\n" + line if torn else line).encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, lock: str) -> dict[str, LockedStage]:
        """The stages in the journal by their last line; what a crash cut short is skipped."""
        try:
            with open(self.path(lock), "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return {}
        stages: dict[str, LockedStage] = {}
        for line in lines[:-1]:
            with suppress(ValueError, KeyError, TypeError, ConfigError):
                record = json.loads(line)
                body = yaml.load(record["entry"], name=lock)[record["stage"]]
                check_stage(body, "entry", _fail)
                stages[record["stage"]] = lockfile.locked_stage(body)
        return stages

    def fold(self, lock: str, order: Sequence[str] = ()) -> bool:
        """Put the journal into the lock, atomically, and remove it; whether there was any.

        `order` is the order in which stages that are new to the lock are appended. The caller
        keeps other writers away. A kill in between leaves a journal that folds again.
        """
        stages = self.read(lock)
        path = os.path.join(self._root, lock)
        if stages:
            before = files.read_text(path, name=lock) if os.path.exists(path) else None
            after = lockfile.splice(before, stages, order or list(stages))
            if after != before:
                files.write_text(path, after)
        self._remove(lock)
        return bool(stages)

    def clear(self) -> None:
        """Remove every journal: what they say stands in the locks."""
        for lock in self.pending():
            self._remove(lock)

    def _remove(self, lock: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self.path(lock))


def _fail(message: str, where: str, hint: str | None = None) -> NoReturn:
    raise ConfigError(message, file="journal", where=where, hint=hint)
