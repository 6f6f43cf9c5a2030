"""Files of a run that are too large for git: they go into DVC's cache, by their digest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mlctl.store import results
from mlctl.store.cache import Cache
from mlctl.store.config import load_config
from mlctl.store.digest import Digest
from mlctl.store.ignore import Ignore
from mlctl.store.state import State, make_local_dir
from mlctl.store.workspace import Workspace


class Keeper:
    """Puts files into the cache of the project at `root`; what it kept is safe after `close`.

    A project that DVC does not know has its own small cache, `.mlctl/cache`.
    """

    def __init__(self, root: str) -> None:
        config = load_config(root)
        if not os.path.isdir(os.path.join(root, ".dvc")):
            make_local_dir(config.local_dir)
            config = replace(config, cache_dir=os.path.join(config.local_dir, "cache"))
        self._state = State(config.local_dir)
        self._workspace = Workspace(
            config, self._state, Ignore(config.root), Cache(config, self._state)
        )

    def take(self, path: str) -> tuple[str, int]:
        """Put the file or folder `path` into the cache; its `md5:…` and its bytes.

        It is still there, perhaps as a link to the object: nobody may write to it. Raises
        InvalidInput for what DVC refuses in a folder, OSError where the disk does.
        """
        size = _size(path)
        is_folder = os.path.isdir(path)
        entries = results.take(self._workspace, path, keep=True)
        if is_folder:
            digest: Digest = results.add_listing(self._workspace, entries)
            return f"md5:{digest.md5}", size
        return f"md5:{entries[0].md5}", size

    def close(self) -> None:
        """Bring what was kept to the disk."""
        self._workspace.cache.flush()
        self._state.close()


@contextmanager
def keeper(root: str) -> Iterator[Keeper]:
    """A keeper for as long as the block lasts."""
    kept = Keeper(root)
    try:
        yield kept
    finally:
        kept.close()


def _size(path: str) -> int:
    if not os.path.isdir(path):
        return os.path.getsize(path)
    files = (os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
    return sum(os.path.getsize(file) for file in files)
