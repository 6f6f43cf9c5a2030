"""From a project to its steps with their reasons: what `status`, `plan` and `run` begin with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence

from mlctl.adapters.files import write_text
from mlctl.pipeline.fingerprint import Seen, changes
from mlctl.pipeline.keys import touch
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.plan import Reason, Step, propagate
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.spec import Dep, Digest, ParamsDep


def judge(
    observer: Observer,
    indices: Sequence[int],
    *,
    force: bool = False,
    allow_missing: bool = False,
    durations: Mapping[str, float] | None = None,
) -> tuple[Step, ...]:
    """One step for each stage of `indices`, with the reasons that can be seen now."""
    project = observer.project
    chosen = set(indices)
    steps = []
    for index in indices:
        stage = project.stages[index]
        locked = project.locked(stage)
        upstream = upstream_digests(project, index) if allow_missing else None
        seen = observer.seen(stage, locked)
        reasons = changes(stage, locked, seen, allow_missing=allow_missing, upstream=upstream)
        if reasons and locked is None and not allow_missing:
            reasons += tuple(_lacks(project, index, seen))
        if force and not reasons:
            reasons = (Reason("forced"),)
        needs = tuple(project.stages[n].address for n in project.graph.needs[index] if n in chosen)
        expected = (durations or {}).get(stage.address)
        steps.append(Step(stage, reasons, needs, expected))
    return tuple(steps)


def _lacks(project: Project, index: int, seen: Seen) -> Iterator[Reason]:
    """What a stage that was never run reads and no stage writes, and is not there: it will fail."""
    stage = project.stages[index]
    if stage.frozen:
        return
    made = [out.key for need in project.graph.needs[index] for out in project.stages[need].outs]
    there = {**seen.deps, **seen.params}
    reads: tuple[Dep | ParamsDep, ...] = (*stage.deps, *stage.params)
    for dep in reads:
        if there.get(dep.key) is None and not any(touch(dep.key, key) for key in made):
            yield Reason("dep", dep.path, "missing")


def planned(
    project: Project,
    indices: Sequence[int],
    *,
    force: bool = False,
    allow_missing: bool = False,
    downstream: bool = True,
) -> tuple[Step, ...]:
    """The steps with their reasons, seen without running anything.

    With `downstream`, what depends on a changed stage counts as changed too.
    """
    with open_workspace(project) as workspace:
        steps = judge(
            Observer(project, workspace),
            indices,
            force=force,
            allow_missing=allow_missing,
            durations=read_durations(project.root),
        )
    return propagate(steps) if downstream else steps


def upstream_digests(project: Project, index: int) -> dict[str, Digest | None]:
    """The recorded digests of the outs of the stages that `index` needs directly, by key."""
    found: dict[str, Digest | None] = {}
    for producer in project.graph.needs[index]:
        stage = project.stages[producer]
        locked = project.locked(stage)
        digests = {entry.path: entry.digest for entry in locked.outs} if locked else {}
        found.update({out.key: digests.get(out.path) for out in stage.outs})
    return found


def read_durations(root: str) -> dict[str, float]:
    """How long each stage took when it last ran here, in seconds; local state."""
    try:
        with open(_durations_path(root), encoding="utf-8") as file:
            return {str(k): float(v) for k, v in json.load(file).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_durations(root: str, durations: Mapping[str, float]) -> None:
    """Keep how long stages took; a stage that was not run keeps its older time."""
    if durations:
        kept = {**read_durations(root), **{k: round(v, 3) for k, v in durations.items()}}
        write_text(_durations_path(root), json.dumps(kept, sort_keys=True), durable=False)


def _durations_path(root: str) -> str:
    return os.path.join(root, ".mlctl", "durations.json")
