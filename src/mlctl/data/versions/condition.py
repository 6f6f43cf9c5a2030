"""How data stands: the workspace against its pointers, or the cache against a remote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlctl.data import tracking
from mlctl.data.versions.place import open_place
from mlctl.data.versions.push import parcel
from mlctl.data.versions.wanted import Wanted, by_remote, find_wanted
from mlctl.pipeline.project import Project, open_workspace
from mlctl.store.verify import Object


@dataclass(frozen=True, slots=True)
class Condition:
    """One out in the workspace against what is recorded; `cached` is whether the cache has that."""

    path: str
    state: tracking.Condition
    cached: bool

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to say."""
        return self.state == "ok" and self.cached


@dataclass(frozen=True, slots=True)
class RemoteCondition:
    """Counts of an out's objects: only here, only on the remote, and on neither."""

    path: str
    remote: str
    to_push: int
    to_fetch: int
    nowhere: int

    @property
    def is_fine(self) -> bool:
        """Whether cache and remote agree."""
        return not (self.to_push or self.to_fetch or self.nowhere)


def conditions(project: Project, targets: Sequence[str]) -> list[Condition]:
    """The targets, or without any all data that `.dvc` files track."""
    wanted = [item for item in find_wanted(project, targets) if targets or item.stage.name is None]
    with open_workspace(project) as workspace:
        found = []
        for item in wanted:
            seen = workspace.observe(item.out.key, legacy=item.digest.legacy)
            state = tracking.compared(seen, item.digest.md5)
            found.append(Condition(item.out.key, state, workspace.cache.has(item.digest)))
    return sorted(found, key=lambda condition: condition.path)


def remote_conditions(
    project: Project, targets: Sequence[str], *, remote: str | None, jobs: int | None
) -> list[RemoteCondition]:
    """The targets, or without any all outs that are pushed, against their remotes."""
    wanted = [
        item
        for item in find_wanted(project, targets)
        if item.out.push and not item.is_of_other_repository
    ]
    found = []
    with open_workspace(project) as workspace:
        for name, items in by_remote(wanted, remote).items():
            place = open_place(project.config, name, jobs)
            each = [set(parcel(workspace.cache, [item]).names) for item in items]
            every = sorted({obj for objects in each for obj in objects})
            there = place.present(every)
            here = {o for o in every if workspace.cache.exists(o.md5, legacy=o.legacy)}
            found += [
                _compared(item, place.name, objects, here, there)
                for item, objects in zip(items, each, strict=True)
            ]
    return sorted(found, key=lambda condition: condition.path)


def _compared(
    item: Wanted,
    remote: str,
    objects: set[Object],
    here: set[Object],
    there: dict[Object, int | None],
) -> RemoteCondition:
    on_remote = objects & there.keys()
    on_both = on_remote & here
    return RemoteCondition(
        item.key,
        remote,
        to_push=len((objects & here) - on_remote),
        to_fetch=len(on_remote - on_both),
        nowhere=len(objects - on_remote - here),
    )
