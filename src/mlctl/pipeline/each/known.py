"""What is known of items: the lines of `.mlctl/each/<context>.jsonl`, and the stage's lock entry.

The protocol is docs/formats/each.md.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mlctl.adapters import clock
from mlctl.errors import InvalidInput
from mlctl.pipeline import lockfile
from mlctl.pipeline.each.items import Files, from_listings
from mlctl.pipeline.each.stage import Task
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage
from mlctl.records import canonical
from mlctl.store.cache import Cache, MissingObjects
from mlctl.store.state import make_local_dir
from mlctl.store.tree import TreeEntry

_KEPT = 30 * 86400  # seconds after its last use that a context is kept


def context(stage: LockedStage, task: Task) -> str:
    """The digest of all that counts beside the item.

    The run-cache's key would not do: it leaves out whatever is called `size` or `nfiles`, a
    parameter too.
    """
    deps = [dep for dep in stage.deps if dep.path != task.over.path]
    parts = [
        lockfile.entry(replace(stage, deps=(), outs=())),
        [_content(dep) for dep in sorted(deps, key=lambda dep: dep.path)],
        sorted(out.path for out in stage.outs),
        task.over.path,
        task.out.path,
        task.request.argv,
    ]
    return hashlib.sha256(canonical.line(parts).encode()).hexdigest()


class Lines:
    """The finished items of one context; `append` is for one thread at a time."""

    def __init__(self, local_dir: str, context: str) -> None:
        self._local = local_dir
        self._path = os.path.join(folder(local_dir), f"{context[:32]}.jsonl")
        self._handle: int | None = None

    def read(self) -> dict[TreeEntry, Files]:
        """What came of each item; marks the context as used."""
        found: dict[TreeEntry, Files] = {}
        try:
            with open(self._path, encoding="ascii", errors="replace") as lines:
                for line in lines:
                    with suppress(ValueError, TypeError, KeyError):  # cut short by a crash
                        data = json.loads(line)
                        item = TreeEntry(data["item"], data["md5"])
                        found[item] = tuple(TreeEntry(*file) for file in data["files"])
            os.utime(self._path)
        except FileNotFoundError:
            pass
        return found

    def append(self, item: TreeEntry, files: Files) -> None:
        """Write down what came of `item`, in one write."""
        if self._handle is None:
            make_local_dir(self._local)
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            size = os.fstat(self._handle).st_size
            if size and os.pread(self._handle, 1, size - 1) != b"\n":
                os.write(self._handle, b"\n")  # after a line that was cut short
        line = {"item": item.relpath, "md5": item.md5, "files": [list(file) for file in files]}
        os.write(self._handle, (json.dumps(line) + "\n").encode("ascii"))

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def from_lock(
    cache: Cache, locked: LockedStage | None, task: Task, now: str
) -> dict[TreeEntry, Files]:
    """What the stage's lock entry tells of items, where it was recorded in the context `now`."""
    if locked is None or context(locked, task) != now:
        return {}
    over = _folder_digest(locked.deps, task.over.path)
    out = _folder_digest(locked.outs, task.out.path)
    if over is None or out is None:
        return {}
    try:
        return from_listings(cache.tree(over.md5), cache.tree(out.md5), task.request.name)
    except (MissingObjects, InvalidInput):
        return {}


def sweep(local_dir: str) -> None:
    """Remove the contexts that nobody used for a month."""
    oldest = clock.now() - _KEPT
    with suppress(FileNotFoundError), os.scandir(folder(local_dir)) as scan:
        for entry in scan:
            if entry.name.endswith(".jsonl") and entry.stat().st_mtime < oldest:
                os.unlink(entry.path)


def folder(local_dir: str) -> str:
    """Where all of this lies."""
    return os.path.join(local_dir, "each")


def _content(dep: LockedPath) -> dict[str, object]:
    entry = lockfile.path_entry(dep)
    return {key: value for key, value in entry.items() if key not in ("size", "nfiles")}


def _folder_digest(entries: Sequence[LockedPath], path: str) -> Digest | None:
    for entry in entries:
        digest = entry.digest
        if entry.path == path and digest is not None and digest.isdir and not digest.legacy:
            return digest
    return None
