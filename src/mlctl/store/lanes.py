"""Who may use which temporary names, so that a killed process's files are known for what they are.

Every process that moves objects holds a *lane*: a lock file in `.mlctl/lanes`, the first that is
free. Its files under way, here and on a remote, lie in a folder of the lane's name. A lane that
nobody holds has no files under way, so whatever lies in its folder was left behind.

    .mlctl/lanes/client     a random name of this work tree
    .mlctl/lanes/0.lock     held by a process that moves objects now
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mlctl.adapters.files import read_text, try_hold, write_text
from mlctl.adapters.remotes import TEMPORARY
from mlctl.store.links import remove
from mlctl.store.state import make_local_dir


class Lane:
    """`name` is ours; `free` are the names of all lanes that nobody else holds."""

    def __init__(self, client: str, handles: dict[int, int]) -> None:
        self._handles = handles
        self.free = tuple(f"{client}-{number}" for number in handles)
        self.name = self.free[0]

    def key(self) -> str:
        """A name, from the top of a cache or remote, that nobody else uses."""
        return f"{TEMPORARY}/{self.name}/{os.urandom(8).hex()}"

    def keep_own(self) -> None:
        """Give the other lanes back: what lay in them is swept."""
        for number in list(self._handles)[1:]:
            os.close(self._handles.pop(number))
        self.free = (self.name,)

    def close(self) -> None:
        """Give back what is held."""
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()


@contextmanager
def lane(local_dir: str) -> Iterator[Lane]:
    """Hold a lane for as long as the block lasts, and at first every other that is free."""
    make_local_dir(local_dir)
    locks = os.path.join(local_dir, "lanes")
    os.makedirs(locks, exist_ok=True)
    client = _client(locks)
    handles: dict[int, int] = {}
    known = sum(name.endswith(".lock") for name in os.listdir(locks))
    for number in itertools.count():
        if number >= known and handles:
            break
        handle = os.open(
            os.path.join(locks, f"{number}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666
        )
        if try_hold(handle):
            handles[number] = handle
        else:
            os.close(handle)
    held = Lane(client, handles)
    try:
        yield held
    finally:
        held.close()


def folder(top: str) -> str:
    """Where files under way lie in a cache or a folder remote."""
    return os.path.join(top, TEMPORARY)


def sweep(top: str, mine: tuple[str, ...], *, before: float) -> None:
    """Remove files under way in the local folder `top`: ours, and anybody's older than `before`."""
    with suppress(FileNotFoundError), os.scandir(folder(top)) as scan:
        for entry in scan:
            with suppress(PermissionError):  # another user's
                if entry.name in mine or entry.stat().st_mtime < before:
                    remove(entry.path)
    with suppress(OSError):  # others are at work
        os.rmdir(folder(top))


def _client(folder: str) -> str:
    path = os.path.join(folder, "client")
    with suppress(FileNotFoundError):
        return read_text(path).strip()
    write_text(path, os.urandom(6).hex() + "\n")
    return read_text(path).strip()
