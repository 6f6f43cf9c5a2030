"""Runs between clones: records, snapshots and pins through git, objects through DVC's remote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlctl.adapters.git_objects import resolve
from mlctl.data.versions.events import Emit
from mlctl.data.versions.fetch import bring
from mlctl.data.versions.place import Place, open_place
from mlctl.data.versions.push import Done, send
from mlctl.experiments.objects import RunObject, in_git, open_cache, run_objects, wanted
from mlctl.experiments.query import find_run, list_runs, read_part
from mlctl.experiments.remote_refs import git_remote, pull_refs, pull_snapshots, push_refs
from mlctl.records.run import RunHead
from mlctl.store.cache import Cache


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


def has_code(root: str, head: RunHead) -> bool:
    """Whether the code of a run can be had here: its commit or snapshot, or a patch of it."""
    code = head.git
    if code is None or code.commit is None:
        return True
    if code.snapshot is not None and resolve(root, code.snapshot) is None:
        return read_part(root, head.id, "code.patch") is not None
    return True


def _moved(
    root: str,
    heads: Sequence[RunHead],
    origin: str | None,
    snapshots: int,
    remote: str | None,
    jobs: int | None,
    move: Callable[[Cache, list[RunObject], Place], list[Done]] | None,
) -> Moved:
    missing = [Missing(head.id, "snapshot") for head in heads if not has_code(root, head)]
    name, done = None, list[Done]()
    if move is not None:
        by_run = {head.id: run_objects(root, head) for head in heads}
        every = [it for items in by_run.values() for it in items]
        with open_cache(root) as cache:
            place = _place(cache, remote, jobs)
            if place is not None:
                name = place.name
                done = move(cache, every, place)
            missing += _nowhere(root, cache, place, by_run)
    objects, size = sum(it.objects for it in done), sum(it.size for it in done)
    return Moved(origin, name, len(heads), snapshots, objects, size, tuple(missing))


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
