"""The `.gitignore` lines of a run's outs, in serial order whatever the order of their ends.

A line is written when its stage is recorded, not later: a `.gitignore` inside a folder that is a
dep is part of the dep, as in DVC.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlctl.store.config import Config
from mlctl.store.gitignore import ignored, lines_added, read_lines, write_lines
from mlctl.store.locks import repo_lock


class Ignoring:
    """Makes git ignore outs; `keys` are all that a run may come to, in serial order.

    Not safe for threads: the caller holds a lock.
    """

    def __init__(self, config: Config, keys: Sequence[str]) -> None:
        self._config = config
        # One question for all: a process for each stage would cost more than many a stage does.
        keys = keys if config.git_root is not None else ()
        already = ignored(config, keys)
        self._rank = {key: rank for rank, key in enumerate(keys) if key not in already}
        self._files: dict[str, _File] = {}

    def add(self, keys: Sequence[str]) -> None:
        """The outs `keys` are there now: bring their lines into the files."""
        missing = [key for key in keys if key in self._rank]
        # A rule such as `models/` matches a folder only once it exists.
        folders = [key for key in missing if os.path.isdir(os.path.join(self._config.root, key))]
        missing = [key for key in missing if key not in ignored(self._config, folders)]
        if missing:  # another process may be adding lines of its own to the same files
            with repo_lock(self._config, wait=None):
                self._write(missing)

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
