"""Bringing what outs are made of from remotes into the cache.

A folder's listing is read first and put into the cache last, so that the cache too never holds a
listing without its files. What comes is written to a temporary name, hashed, and only then named.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from mlctl.adapters import clock, dvc
from mlctl.data.versions.events import Emit, Planned
from mlctl.data.versions.place import Place, open_place
from mlctl.data.versions.push import DAY, Done
from mlctl.data.versions.transfer import Flaw, move_all, raise_flaws
from mlctl.data.versions.wanted import Wanted, by_remote, find_wanted
from mlctl.pipeline.project import Project, open_workspace
from mlctl.store import lanes
from mlctl.store.cache import Cache
from mlctl.store.hashing import Tick
from mlctl.store.lanes import Lane, lane
from mlctl.store.links import remove
from mlctl.store.tree import TreeEntry, parse_tree
from mlctl.store.verify import Object

_FLUSH_EVERY = 2000  # objects: so many are hashed again at most after a power cut


def fetch(
    project: Project, targets: Sequence[str], *, remote: str | None, jobs: int | None, emit: Emit
) -> list[Done]:
    """Bring the objects of the targets (or of everything) that the cache lacks.

    What an import has in no remote comes from its source, by one call of DVC. Raises NotAble where
    a remote refuses, and at the end where an object is damaged or missing there.
    """
    with open_workspace(project) as workspace:
        wanted = find_wanted(project, targets)
        return bring(workspace.cache, wanted, remote=remote, jobs=jobs, emit=emit)


def bring(
    cache: Cache, wanted: Sequence[Wanted], *, remote: str | None, jobs: int | None, emit: Emit
) -> list[Done]:
    """Bring what the cache lacks of these outs, as `fetch` does."""
    done = []
    lacking = [item for item in wanted if not _is_here(cache, item)]
    if not lacking and not os.path.isdir(lanes.folder(cache.config.cache_dir)):
        return []
    with lane(cache.config.local_dir) as mine:
        lanes.sweep(cache.config.cache_dir, mine.free, before=clock.now() - DAY)
        mine.keep_own()
        for name, items in by_remote(lacking, remote).items():
            fetched = _fetch(cache, name, items, mine, jobs, emit)
            if fetched is not None:
                done.append(fetched)
    return done


def _is_here(cache: Cache, item: Wanted) -> bool:
    if not item.inside:
        return cache.has(item.digest)
    top = Object(item.digest.md5, item.digest.legacy)
    if not cache.exists(top.md5, legacy=top.legacy):
        return False
    entries = _chosen(item, cache.tree(top.md5, legacy=top.legacy))
    return all(cache.exists(entry.md5, legacy=top.legacy) for entry in entries)


def _fetch(
    cache: Cache,
    name: str | None,
    items: Sequence[Wanted],
    mine: Lane,
    jobs: int | None,
    emit: Emit,
) -> Done | None:
    imports = [item for item in items if item.comes_from_elsewhere]
    ours = [item for item in items if not item.comes_from_elsewhere]
    done = None
    if ours:
        place = open_place(cache.config, name, jobs)
        place.check()
        done = _Fetch(cache, place, mine, emit).run(ours)
    if imports:
        said = dvc.fetch(cache.config.root, [item.key for item in imports])
        _require_imports(cache, imports, said)
    return done


def _require_imports(cache: Cache, imports: Sequence[Wanted], said: str) -> None:
    flaws = {
        Flaw(Object(item.digest.md5, item.digest.legacy), "missing"): item.key
        for item in imports
        if not _is_here(cache, item)
    }
    names = {flaw.object: key for flaw, key in flaws.items()}
    raise_flaws(flaws, names, f"dvc could not fetch the import: {said}", "is its source there?")


class _Fetch:
    """One remote's part of a fetch."""

    def __init__(self, cache: Cache, place: Place, mine: Lane, emit: Emit) -> None:
        self._cache = cache
        self._place = place
        self._mine = mine
        self._emit = emit
        self._flaws: list[Flaw] = []
        self._names: dict[Object, str] = {}

    def run(self, items: Sequence[Wanted]) -> Done:
        began = clock.monotonic()
        files: dict[Object, str] = {}
        listings: dict[Object, tuple[bytes, set[Object]]] = {}
        for item in items:
            legacy = item.digest.legacy
            top = Object(item.digest.md5, legacy)
            self._names[top] = item.key
            if not item.digest.isdir:
                files[top] = item.key
                continue
            data = self._listing(top)
            if data is None:
                continue
            entries = parse_tree(data, f"{item.key} ({top.md5})")
            chosen = _chosen(item, entries)
            children = {Object(entry.md5, legacy) for entry in entries}
            listings[top] = (data, children)
            files |= {Object(e.md5, legacy): f"{item.out.key}/{e.relpath}" for e in chosen}
        self._names |= files
        wanted = [i for i in files if not self._cache.exists(i.md5, legacy=i.legacy)]
        count, size = self._bring(wanted)
        for top, (data, children) in listings.items():
            # A part of a folder may have been asked for: its listing is needed to link that part.
            if not children & {flaw.object for flaw in self._flaws}:
                self._adopt_listing(top, data)
        self._cache.flush()
        raise_flaws(
            self._flaws,
            self._names,
            f"not all came from {self._place.name}; the rest is in the cache",
            "push it from where it is, or bring it back with `mlctl fsck --repair` there",
        )
        seconds = clock.monotonic() - began
        present = len(files) - len(wanted)
        return Done(self._place.name, self._place.url, count, size, present, seconds)

    def _listing(self, top: Object) -> bytes | None:
        """The bytes of a listing, verified; from the cache where it is there."""
        if self._cache.exists(top.md5, legacy=top.legacy):
            with open(self._cache.path(top.md5, legacy=top.legacy), "rb") as file:
                return file.read()
        try:
            data = self._place.read(top)
        except FileNotFoundError:
            self._flaws.append(Flaw(top, "missing"))
            return None
        actual = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if actual != top.md5.removesuffix(".dir"):
            self._flaws.append(Flaw(top, "damaged", actual))
            return None
        return data

    def _adopt_listing(self, top: Object, data: bytes) -> None:
        if not self._cache.exists(top.md5, legacy=top.legacy):
            self._cache.adopt_bytes(data, top.md5, legacy=top.legacy)

    def _bring(self, items: list[Object]) -> tuple[int, int]:
        """Receive what the remote has of `items`; how many objects and bytes."""
        there = self._place.present(items)
        self._flaws += [Flaw(item, "missing") for item in items if item not in there]
        sizes = {item: size or 0 for item, size in there.items()}
        size = sum(sizes.values())
        self._emit(Planned(f"from {self._place.name}", len(sizes), size))
        folder = os.path.join(lanes.folder(self._cache.config.cache_dir), self._mine.name)
        os.makedirs(folder, exist_ok=True)
        try:
            order = list(sizes)
            for start in range(0, len(order), _FLUSH_EVERY):
                part = {item: sizes[item] for item in order[start : start + _FLUSH_EVERY]}
                self._flaws += move_all(part, self._receive, jobs=self._place.jobs, emit=self._emit)
                self._cache.flush()
        finally:
            lanes.sweep(self._cache.config.cache_dir, (self._mine.name,), before=0)
        return len(there), size

    def _receive(self, item: Object, tick: Tick) -> Flaw | None:
        temporary = os.path.join(self._cache.config.cache_dir, self._mine.key())
        try:
            actual = self._place.receive(item, temporary, tick)
            if actual != item.md5.removesuffix(".dir"):
                return Flaw(item, "damaged", actual)
            self._cache.adopt(temporary, item.md5, legacy=item.legacy)
        except FileNotFoundError:
            return Flaw(item, "missing")
        finally:
            remove(temporary)
        return None


def _chosen(item: Wanted, entries: Sequence[TreeEntry]) -> list[TreeEntry]:
    if not item.inside:
        return list(entries)
    inside = f"{item.inside}/"
    return [e for e in entries if e.relpath == item.inside or e.relpath.startswith(inside)]
