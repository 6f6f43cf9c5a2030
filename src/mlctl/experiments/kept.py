"""Keeping a run: the fact is an event of its record, and its objects are pinned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlctl.adapters.git import toplevel
from mlctl.experiments import pins
from mlctl.experiments.events import add_event
from mlctl.experiments.objects import in_git, open_cache, run_objects
from mlctl.records.run import RunHead


@dataclass(frozen=True, slots=True)
class Kept:
    """A run that is kept now: how many objects are pinned (None outside of a git repository), which
    outs the cache lacks, and the key of the event that says so.
    """

    run: str
    event: str
    pinned: int | None
    missing: tuple[str, ...]


def keep(root: str, heads: Sequence[RunHead]) -> list[Kept]:
    """Keep runs: pin their outs, what they logged, and the data they read as far as the cache has
    it. Raises ToolFailed where git refuses, and then nothing is said of the runs.
    """
    versioned = toplevel(root) is not None
    objects, missing = {}, {}
    with open_cache(root) as cache:
        for head in heads:
            every = run_objects(root, head)
            known = in_git(root, every) if versioned else set()
            here = {it.top for it in every if cache.has(it.digest)}
            # An out that is only on the remote is pinned too, or `gc --cloud` would free it there.
            chosen = [it for it in every if it.top in here or not (it.is_dep or it.key in known)]
            objects[head.id] = chosen
            missing[head.id] = tuple(it.key for it in chosen if it.top not in here)
    if versioned:
        pins.pin(root, objects)
    return [
        Kept(
            head.id,
            add_event(root, head.id, "keep"),
            len(objects[head.id]) if versioned else None,
            missing[head.id],
        )
        for head in heads
    ]


def unkeep(root: str, heads: Sequence[RunHead]) -> list[str]:
    """Keep runs no longer; the keys of the events that say so."""
    events = [add_event(root, head.id, "unkeep") for head in heads]
    if toplevel(root) is not None:
        pins.unpin(root, [head.id for head in heads])
    return events
