"""A remote that is a local folder: another cache, whose objects are copied and then hashed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlctl.errors import NotAble
from mlctl.store import lanes
from mlctl.store.cache import Cache
from mlctl.store.config import Config
from mlctl.store.hashing import Tick
from mlctl.store.lanes import Lane
from mlctl.store.links import copy_file, remove
from mlctl.store.verify import Object, object_md5, objects_in


class Folder:
    """A folder remote: it has the layout of a cache, and its read-only objects are trusted too."""

    def __init__(self, name: str, path: str, config: Config, jobs: int | None = None) -> None:
        self.name = name
        self.url = path
        self.jobs = jobs or min(4, os.cpu_count() or 1)
        self._path = path
        self._cache = Cache(replace(config, cache_dir=path))

    def present(self, items: Sequence[Object]) -> dict[Object, int | None]:
        """Those of `items` that are there and sound, and their sizes."""
        there = [item for item in items if self._cache.exists(item.md5, legacy=item.legacy)]
        return {item: os.stat(self._at(item)).st_size for item in there}

    def read(self, item: Object) -> bytes:
        """The bytes of a listing. Raises FileNotFoundError."""
        with open(self._at(item), "rb") as file:
            return file.read()

    def receive(self, item: Object, target: str, tick: Tick) -> str:
        """Copy the object to the new file `target`; the hash of what was written.

        Raises FileNotFoundError.
        """
        copy_file(self._at(item), target)
        return object_md5(target, legacy=item.legacy, tick=tick)

    def send(self, item: Object, source: str, lane: Lane, tick: Tick) -> str:
        """Copy a file in as the object, if it is that; the hash of what was written."""
        temporary = os.path.join(self._path, lane.key())
        os.makedirs(os.path.dirname(temporary), exist_ok=True)
        try:
            copy_file(source, temporary)
            written = object_md5(temporary, legacy=item.legacy, tick=tick)
            if written == item.md5.removesuffix(".dir"):
                self._cache.adopt(temporary, item.md5, legacy=item.legacy)
        except OSError as error:
            error.filename = error.filename or self._path
            raise
        finally:
            remove(temporary)
        return written

    def objects(self) -> Iterator[tuple[Object, int | None]]:
        """All objects that lie there, and their sizes."""
        for item in objects_in(self._cache):
            yield item, os.stat(self._at(item)).st_size

    def remove(self, items: Sequence[Object]) -> None:
        """Remove objects."""
        for item in items:
            remove(self._at(item))

    def flush(self) -> None:
        """Bring what was sent to the disk, and mark it as trusted."""
        self._cache.flush()

    def sweep(self, mine: tuple[str, ...], *, before: float) -> None:
        """Remove what killed processes left; see `lanes.sweep`."""
        lanes.sweep(self._path, mine, before=before)

    def check(self) -> None:
        """Raise NotAble where there is nothing to read from."""
        if not os.path.isdir(self._path):
            raise NotAble(
                f"remote {self.name!r}: there is no folder {self._path}",
                hint="is it mounted? `mlctl data push` makes a new one",
            )

    def _at(self, item: Object) -> str:
        return self._cache.path(item.md5, legacy=item.legacy)
