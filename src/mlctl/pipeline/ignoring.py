"""The `.gitignore` lines of a run's outs, in serial order whatever the order of their ends.

Lines wait for `write_if_due`, which writes them every `WRITE_EVERY`: rewriting the file for each of
many short stages would cost more than they do. A `.gitignore` inside a folder that is a dep is part
of the dep, as in DVC, and is to be written at once.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Sequence

from mlctl.adapters import clock
from mlctl.store.config import Config
from mlctl.store.gitignore import ignored, lines_added, read_lines, write_lines
from mlctl.store.locks import repo_lock

WRITE_EVERY = 0.25  # seconds


class Ignoring:
    """Makes git ignore outs; `keys` are all that a run may come to, in serial order.

    `deps` are the keys that the run's stages read. Not safe for threads: the caller holds a lock.
    """

    def __init__(self, config: Config, keys: Sequence[str], deps: Collection[str] = ()) -> None:
        self._config = config
        # One question for all: a process for each stage would cost more than many a stage does.
        keys = keys if config.git_root is not None else ()
        already = ignored(config, keys)
        self._rank = {key: rank for rank, key in enumerate(keys) if key not in already}
        self._deps = frozenset(deps)
        self._files: dict[str, _File] = {}
        self._pending: list[str] = []
        self._written_at = 0.0

    def add(self, keys: Sequence[str]) -> bool:
        """The outs `keys` are there now: their lines wait to be written. Whether that is urgent,
        since a stage reads one of the files.
        """
        new = [key for key in keys if key in self._rank]
        self._pending += new
        return any(self._is_read(posixpath.dirname(key)) for key in new)

    def write_if_due(self) -> None:
        """Write the lines that wait, unless the last ones were written just now."""
        if self._pending and clock.monotonic() - self._written_at >= WRITE_EVERY:
            self.write(0)

    def write(self, wait: float) -> None:
        """Write the lines that wait. Raises Busy where another process holds the repository for
        longer than `wait` seconds; then they go on waiting.
        """
        missing = list(self._pending)
        # A rule such as `models/` matches a folder only once it exists.
        folders = [key for key in missing if os.path.isdir(os.path.join(self._config.root, key))]
        already = ignored(self._config, folders)
        missing = [key for key in missing if key not in already]
        if missing:  # another process may be adding lines of its own to the same files
            with repo_lock(self._config, wait=wait):
                self._write(missing)
        self._pending.clear()
        self._written_at = clock.monotonic()

    def _is_read(self, folder: str) -> bool:
        """Whether the `.gitignore` in `folder` is, or is part of, a dep."""
        path = posixpath.join(folder, ".gitignore")
        while path not in {"", "/"}:
            if path in self._deps:
                return True
            path = posixpath.dirname(path)
        return "" in self._deps

    def _write(self, missing: Sequence[str]) -> None:
        for folder in dict.fromkeys(os.path.dirname(key) for key in missing):
            file = self._files.setdefault(folder, _File())
            now = read_lines(self._config, folder)
            if now != file.written:  # first seen, or changed by somebody else since
                file.base, file.keys = now, []
            file.keys += [key for key in missing if os.path.dirname(key) == folder]
            file.keys.sort(key=self._rank.__getitem__)
            file.written = lines_added(file.base, file.keys)
            if file.written != now:
                write_lines(self._config, folder, file.written)


class _File:
    """One `.gitignore`: its text before this run, the outs added, its text as last written."""

    def __init__(self) -> None:
        self.base = ""
        self.keys: list[str] = []
        self.written: str | None = None
