"""A remote as a place of objects: what moves them sees no file system and no DVC.

`Folder` (a local folder) and `Cloud` (all else that DVC knows) are the two kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from mlctl.adapters import remotes
from mlctl.store.config import Config
from mlctl.store.folder import Folder
from mlctl.store.hashing import Tick
from mlctl.store.lanes import Lane
from mlctl.store.verify import Object, object_md5


class Place(Protocol):
    """A remote. What it is asked raises NotAble where it refuses; threads may share it.

    `jobs` objects are moved at one time.
    """

    name: str
    url: str
    jobs: int

    def present(self, items: Sequence[Object]) -> dict[Object, int | None]:
        """Those of `items` that are there, and their sizes where it tells them."""

    def read(self, item: Object) -> bytes:
        """The bytes of a listing. Raises FileNotFoundError."""

    def receive(self, item: Object, target: str, tick: Tick) -> str:
        """Bring the object to the new local file `target`; the hash of what was written.

        Raises FileNotFoundError.
        """

    def send(self, item: Object, source: str, lane: Lane, tick: Tick) -> str:
        """Send a local file as the object, if its hash is the object's; the hash that it has."""

    def objects(self) -> Iterator[tuple[Object, int | None]]:
        """All objects that lie there, and their sizes."""

    def remove(self, items: Sequence[Object]) -> None:
        """Remove objects."""

    def flush(self) -> None:
        """Make what was sent safe from a power cut, as far as that can be done from here."""

    def sweep(self, mine: tuple[str, ...], *, before: float) -> None:
        """Remove files under way that killed processes left; see `store.lanes`."""

    def check(self) -> None:
        """Raise NotAble where there is nothing to read from."""


def open_place(config: Config, name: str | None, jobs: int | None = None) -> Place:
    """The remote `name`, or the default one. Raises InvalidInput, NotAble."""
    remote = remotes.open_remote(config.root, name)
    if remote.folder is not None:
        return Folder(remote.name, remote.folder, config, jobs)
    return Cloud(remote, jobs)


class Cloud:
    """A remote that is not a local folder: its objects have the keys that DVC gives them."""

    def __init__(self, remote: remotes.Remote, jobs: int | None) -> None:
        self._remote = remote
        self.name, self.url, self.jobs = remote.name, remote.url, jobs or remote.jobs

    def present(self, items: Sequence[Object]) -> dict[Object, int | None]:
        """Those of `items` that are there, and their sizes where it tells them."""
        by_key = {_key(item): item for item in items}
        sizes = self._remote.sizes(list(by_key), self.jobs)
        return {by_key[key]: size for key, size in sizes.items()}

    def read(self, item: Object) -> bytes:
        """The bytes of a listing. Raises FileNotFoundError."""
        return self._remote.read(_key(item))

    def receive(self, item: Object, target: str, tick: Tick) -> str:
        """Bring the object to the new local file `target`; the hash of what was written.

        Raises FileNotFoundError.
        """
        self._remote.receive(_key(item), target, tick)
        return object_md5(target, legacy=item.legacy, tick=lambda _: tick(0))

    def send(self, item: Object, source: str, lane: Lane, tick: Tick) -> str:
        """Send a local file as the object, if its hash is the object's; the hash that it has."""
        actual = object_md5(source, legacy=item.legacy, tick=lambda _: tick(0))
        if actual == item.md5.removesuffix(".dir"):
            self._remote.send(source, _key(item), lane.key(), tick)
        return actual

    def objects(self) -> Iterator[tuple[Object, int | None]]:
        """All objects that lie there, and their sizes."""
        for legacy, top in ((False, "files/md5"), (True, "")):
            folders = [
                folder for folder in self._remote.folders(top) if len(_last(folder)) == len("ab")
            ]
            for key, size in self._remote.listing(folders, self.jobs):
                md5 = "".join(key.split("/")[-2:])
                if len(md5.removesuffix(".dir")) == len("00" * 16):
                    yield Object(md5, legacy), size

    def remove(self, items: Sequence[Object]) -> None:
        """Remove objects."""
        self._remote.remove([_key(item) for item in items], self.jobs)

    def flush(self) -> None:
        """Its own affair."""

    def sweep(self, mine: tuple[str, ...], *, before: float) -> None:
        """Remove files under way that killed processes left; see `store.lanes`."""
        self._remote.sweep(mine, before=before)

    def check(self) -> None:
        """The first question to it answers."""


def _key(item: Object) -> str:
    top = "" if item.legacy else "files/md5/"
    return f"{top}{item.md5[:2]}/{item.md5[2:]}"


def _last(key: str) -> str:
    return key.rpartition("/")[2]
