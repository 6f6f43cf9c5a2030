"""Runs between clones: records, snapshots and pins through git, objects through DVC's remote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from mlctl.adapters.git_objects import lacking
from mlctl.data.versions.events import Emit
from mlctl.data.versions.fetch import bring
from mlctl.data.versions.place import Place, open_place
from mlctl.data.versions.push import Done, send
from mlctl.errors import InvalidInput
from mlctl.experiments.fsck.sources import RawRecord, raw_records
from mlctl.experiments.objects import (
    RunObject,
    in_git,
    objects_in,
    open_cache,
    run_objects,
    wanted,
)
from mlctl.experiments.query import find_run, list_runs, read_part
from mlctl.experiments.remote_refs import git_remote, pull_refs, pull_snapshots, push_refs
from mlctl.records.run import RunHead
from mlctl.store.cache import Cache

_MANY = 20  # runs
_UNREADABLE = "a record that can be read (`mlctl exp fsck`)"


@dataclass(frozen=True, slots=True)
class Missing:
    """What of a run is neither here nor on the remote: a `snapshot`, or an object by its digest."""

    run: str
    what: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved. `git` and `remote` are the remotes of git and of DVC, None where there is no
    such; `runs` is how many runs it was about, `objects` and `size` (bytes) what DVC's remote got
    or gave.
    """

    git: str | None
    remote: str | None
    runs: int
    snapshots: int
    objects: int
    size: int
    missing: tuple[Missing, ...]


def push_runs(
    root: str,
    names: Sequence[str],
    *,
    git_name: str | None,
    remote: str | None,
    jobs: int | None,
    emit: Emit,
) -> Moved:
    """Send runs (all, where none is named) with their snapshots and objects.

    Raises InvalidInput for unknown names, NotAble where a remote refuses.
    """
    heads = _named(root, names)
    origin = git_remote(root, git_name)
    sent = 0
    if origin is not None:
        sent = push_refs(root, origin, {head.id for head in heads})

    def move(cache: Cache, items: list[RunObject], _: Place) -> list[Done]:
        here = [it for it in items if cache.has(it.digest)]
        return send(cache, {remote: wanted(here)}, jobs=jobs, emit=emit) if here else []

    return _moved(root, heads, origin, sent, remote, jobs, move)


def pull_runs(
    root: str,
    names: Sequence[str],
    *,
    outs: bool,
    git_name: str | None,
    remote: str | None,
    jobs: int | None,
    emit: Emit,
) -> Moved:
    """Bring records and pins, and of the named runs (or all) the snapshots, and with `outs` the
    objects. Raises as `push_runs` does.
    """
    origin = git_remote(root, git_name)
    if origin is not None:
        pull_refs(root, origin)
    heads = _named(root, names)
    came = pull_snapshots(root, origin, {head.id for head in heads}) if origin else 0

    def move(cache: Cache, items: list[RunObject], place: Place) -> list[Done]:
        lacking = [it for it in items if not cache.has(it.digest)]
        if lacking:
            place.check()
        there = place.present([it.top for it in lacking])
        found = wanted(it for it in lacking if it.top in there)
        return bring(cache, found, remote=remote, jobs=jobs, emit=emit) if found else []

    return _moved(root, heads, origin, came, remote, jobs, move if outs else None)


def without_code(root: str, heads: Sequence[RunHead]) -> list[str]:
    """The ids of the runs whose dirty tree is not here, neither as a snapshot nor as a patch."""
    snapshots = {head.id: head.git.snapshot for head in heads if head.git and head.git.snapshot}
    absent = lacking(root, snapshots.values())
    away = [run_id for run_id, oid in snapshots.items() if oid in absent]
    return [run_id for run_id in away if read_part(root, run_id, "code.patch") is None]


def _moved(
    root: str,
    heads: Sequence[RunHead],
    origin: str | None,
    snapshots: int,
    remote: str | None,
    jobs: int | None,
    move: Callable[[Cache, list[RunObject], Place], list[Done]] | None,
) -> Moved:
    missing = [Missing(run_id, "snapshot") for run_id in without_code(root, heads)]
    name, done = None, list[Done]()
    if move is not None:
        by_run = _objects(root, heads)
        missing += [Missing(it.id, _UNREADABLE) for it in heads if it.id not in by_run]
        every = [it for items in by_run.values() for it in items]
        with open_cache(root) as cache:
            place = _place(cache, remote, jobs)
            if place is not None:
                name = place.name
                done = move(cache, every, place)
            missing += _nowhere(root, cache, place, by_run)
    objects, size = sum(it.objects for it in done), sum(it.size for it in done)
    return Moved(origin, name, len(heads), snapshots, objects, size, tuple(missing))


def _objects(root: str, heads: Sequence[RunHead]) -> dict[str, list[RunObject]]:
    """The objects of each run whose record can be read."""
    found: dict[str, list[RunObject]] = {}
    for head, files in _files(root, {head.id: head for head in heads}):
        with suppress(InvalidInput):
            objects = run_objects(root, head) if files is None else objects_in(head, files)
            found[head.id] = [*found.get(head.id, ()), *objects]
    return found


def _files(
    root: str, heads: Mapping[str, RunHead]
) -> Iterator[tuple[RunHead, Mapping[str, bytes] | None]]:
    """The records with their files; of many, all are read at once, as git likes it."""
    if len(heads) < _MANY:
        yield from ((head, None) for head in heads.values())
        return
    for record in raw_records(root):
        if isinstance(record, RawRecord) and record.run in heads and record.files:
            yield heads[record.run], record.files


def _nowhere(
    root: str, cache: Cache, place: Place | None, by_run: dict[str, list[RunObject]]
) -> list[Missing]:
    lacking = {
        run_id: [it for it in items if not it.is_dep and not cache.has(it.digest)]
        for run_id, items in by_run.items()
    }
    every = [it for items in lacking.values() for it in items]
    there = place.present([it.top for it in every]) if place is not None and every else {}
    known = in_git(root, every)
    return [
        Missing(run_id, it.key, f"md5:{it.digest.md5}")
        for run_id, items in lacking.items()
        for it in items
        if it.top not in there and it.key not in known
    ]


def _place(cache: Cache, remote: str | None, jobs: int | None) -> Place | None:
    """The remote of DVC; None where no one is asked for and none is set."""
    if remote is None and cache.config.remote is None:
        return None
    return open_place(cache.config, remote, jobs)


def _named(root: str, names: Sequence[str]) -> list[RunHead]:
    if names:
        return [find_run(root, name) for name in names]
    return list_runs(root)
