"""Sending what the cache has and a remote lacks.

A folder's listing goes after its files, so that no remote ever holds a listing without them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlctl.adapters import clock
from mlctl.data.versions.events import Emit, Planned
from mlctl.data.versions.place import Place, open_place
from mlctl.data.versions.transfer import Flaw, move_all, raise_flaws
from mlctl.data.versions.wanted import Wanted, by_remote, find_wanted
from mlctl.pipeline.project import Project, open_workspace
from mlctl.store.cache import Cache, MissingObjects
from mlctl.store.hashing import Tick
from mlctl.store.lanes import Lane, lane
from mlctl.store.verify import Object

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Done:
    """What was moved to or from one remote: objects and bytes; `present` were there already."""

    remote: str
    url: str
    objects: int
    size: int
    present: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Parcel:
    """Objects in the order in which they must go: files, then the listings that name them.

    `imports` are those that can be had from where they come from.
    """

    files: dict[Object, str]
    listings: dict[Object, tuple[str, frozenset[Object]]]
    imports: frozenset[Object]

    @property
    def names(self) -> dict[Object, str]:
        """What people know each object by."""
        return self.files | {item: name for item, (name, _) in self.listings.items()}


def push(
    project: Project, targets: Sequence[str], *, remote: str | None, jobs: int | None, emit: Emit
) -> list[Done]:
    """Send the objects of the targets (or of everything) to the remotes that they belong to.

    Each is hashed before it is sent (for a folder: after), and its size is compared after. Raises
    NotAble where a remote refuses, and at the end where an object is damaged, or nowhere.
    """
    wanted = [
        item
        for item in find_wanted(project, targets)
        if item.out.push and not item.is_of_other_repository
    ]
    with open_workspace(project) as workspace:
        return send(workspace.cache, by_remote(wanted, remote), jobs=jobs, emit=emit)


def send(
    cache: Cache,
    groups: Mapping[str | None, Sequence[Wanted]],
    *,
    jobs: int | None,
    emit: Emit,
) -> list[Done]:
    """Send the objects of outs, by their remote, as `push` does."""
    done = []
    with lane(cache.config.local_dir) as mine:
        places = {name: open_place(cache.config, name, jobs) for name in groups}
        for place in places.values():
            place.sweep(mine.free, before=clock.now() - DAY)
        mine.keep_own()
        for name, items in groups.items():
            done.append(_push(cache, places[name], items, mine, emit))
    return done


def parcel(cache: Cache, items: Sequence[Wanted]) -> Parcel:
    """The objects that the outs are made of, as far as the cache has their listings."""
    files: dict[Object, str] = {}
    listings: dict[Object, tuple[str, frozenset[Object]]] = {}
    for item in items:
        legacy = item.digest.legacy
        top = Object(item.digest.md5, legacy)
        if not item.digest.isdir:
            files.setdefault(top, item.key)
            continue
        try:
            entries = cache.tree(top.md5, legacy=legacy)
        except MissingObjects:
            listings[top] = (item.key, frozenset())
            continue
        inside = f"{item.inside}/"
        chosen = {
            Object(entry.md5, legacy): f"{item.out.key}/{entry.relpath}"
            for entry in entries
            if not item.inside or entry.relpath == item.inside or entry.relpath.startswith(inside)
        }
        files = chosen | files
        if not item.inside:
            listings[top] = (item.key, frozenset(chosen))
    imports = frozenset(
        Object(item.digest.md5, item.digest.legacy) for item in items if item.comes_from_elsewhere
    )
    return Parcel(files, listings, imports)


def _push(cache: Cache, place: Place, items: Sequence[Wanted], mine: Lane, emit: Emit) -> Done:
    began = clock.monotonic()
    content = parcel(cache, items)
    there = place.present([*content.files, *content.listings])
    sizes = {item: _size(cache, item) for item in content.names}
    lacking = {
        item: size
        for item, size in sizes.items()
        if item not in there or (size is not None and there[item] not in {size, None})
    }
    flaws = [
        Flaw(item, "missing")
        for item, size in lacking.items()
        if size is None and item not in content.imports
    ]
    sendable = {item: size for item, size in lacking.items() if size is not None}
    emit(Planned(f"to {place.name}", len(sendable), sum(sendable.values())))

    def send(item: Object, tick: Tick) -> Flaw | None:
        source = cache.path(item.md5, legacy=item.legacy)
        actual = place.send(item, source, mine, tick)
        sound = actual == item.md5.removesuffix(".dir")
        return None if sound else Flaw(item, "damaged", actual)

    try:
        files = {item: size for item, size in sendable.items() if item in content.files}
        flaws += move_all(files, send, jobs=place.jobs, emit=emit)
        lost = {flaw.object for flaw in flaws}
        whole = {
            item: sendable[item]
            for item, (_, children) in content.listings.items()
            if item in sendable and not children & lost
        }
        flaws += move_all(whole, send, jobs=place.jobs, emit=emit)
    finally:
        place.flush()
        place.sweep((mine.name,), before=0)
    raise_flaws(
        flaws,
        content.names,
        f"not all was sent to {place.name}; the rest is there",
        "`mlctl fsck` says what the cache lacks, `mlctl fsck --repair` mends what it can",
    )
    sent = sum(sendable.values())
    seconds = clock.monotonic() - began
    return Done(place.name, place.url, len(sendable), sent, len(there), seconds)


def _size(cache: Cache, item: Object) -> int | None:
    """Bytes of the object, None where it is not in the cache."""
    try:
        return os.stat(cache.path(item.md5, legacy=item.legacy)).st_size
    except OSError:
        return None
