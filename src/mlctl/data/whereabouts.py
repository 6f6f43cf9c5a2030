"""Where a data set's bytes are: in the work tree, in the cache, or nowhere here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from mlctl.data.memory import Memory

if TYPE_CHECKING:
    from mlctl.store.cache import Cache
    from mlctl.store.state import State


def is_pattern(key: str) -> bool:
    """Whether `key` may stand for several files."""
    return any(sign in key for sign in "*?[")


class Data:
    """The data of one work tree: as it lies there, and as the staged pointers name it.

    `revision` is the commit whose pointers count, instead of those in git's index.
    """

    def __init__(self, root: str, memory: Memory, revision: str | None = None) -> None:
        self.root = root
        self._memory = memory
        self._revision = revision
        self._state: State | None = None

    def digest(self, key: str) -> str | None:
        """The digest of what lies at `key` (a path, or a pattern of several), `md5:…`.

        It comes from the state database where it can.
        """
        path = os.path.normpath(os.path.join(self.root, key))
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return self._digest_of_matches(key) if is_pattern(key) else None
        from mlctl.store.state import signature

        state = self._opened_state()
        if stat.S_ISREG(status.st_mode) and (md5 := state.get(path, signature(status))):
            return f"md5:{md5}"
        from mlctl.store.ignore import Ignore
        from mlctl.store.observe import observe

        seen = observe(self.root, key, state, Ignore(self.root))
        return f"md5:{seen.digest.md5}" if seen is not None else None

    def _digest_of_matches(self, pattern: str) -> str | None:
        """That of a folder with the files that `pattern` matches, as DVC would take it."""
        import glob

        from mlctl.store.tree import tree_bytes, tree_id

        names = sorted(glob.glob(pattern, root_dir=self.root, recursive=True))
        files = [name for name in names if os.path.isfile(os.path.join(self.root, name))]
        found = [(name, _md5(self.digest(name) or "")) for name in files]
        return f"md5:{tree_id(tree_bytes(found))}" if found else None

    def staged_digest(self, key: str) -> str | None:
        """The digest that a staged pointer gives to `key`, or None where none does."""
        if key in self._pointers:
            return self._pointers[key]
        for folder in _parents(key):
            listing = self._pointers.get(folder, "")
            if listing.endswith(".dir") and self._cache.exists(_md5(listing)):
                entries = self._cache.tree(_md5(listing))
                relpath = key.removeprefix(f"{folder}/")
                return next((f"md5:{e.md5}" for e in entries if e.relpath == relpath), None)
        return None

    @contextmanager
    def found(self, key: str, digest: str) -> Iterator[str | None]:
        """A folder in which `key` has this digest: the root, a view of the cache, or None."""
        from mlctl.store.digest import Digest

        with ExitStack() as stack:
            if self.digest(key) == digest:
                yield self.root
            elif self._cache.has(Digest(_md5(digest))):
                from mlctl.store.view import viewed

                yield stack.enter_context(viewed(self._cache, key, Digest(_md5(digest))))
            else:
                yield None

    def close(self) -> None:
        """Close the state database, if it was opened."""
        if self._state is not None:
            self._state.close()

    def _opened_state(self) -> State:
        if self._state is None:
            from mlctl.store.state import State, make_local_dir

            folder = os.path.join(self.root, ".mlctl")
            with suppress(OSError):  # a read-only checkout has no memory
                make_local_dir(folder)
            self._state = State(folder)
        return self._state

    @cached_property
    def _pointers(self) -> dict[str, str]:
        from mlctl.adapters.process import ToolFailed
        from mlctl.data import staged

        try:
            listed = staged.listing(self.root, self._revision)
        except ToolFailed:  # no git repository
            return {}
        found: dict[str, str] = self._memory.recall(
            "pointers", repr(listed), lambda: staged.digests(self.root, listed)
        )
        return found

    @cached_property
    def _cache(self) -> Cache:
        from mlctl.store.cache import Cache
        from mlctl.store.config import load_config

        return Cache(load_config(self.root), self._opened_state())


def _md5(digest: str) -> str:
    return digest.partition(":")[2]


def _parents(key: str) -> Iterator[str]:
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key
