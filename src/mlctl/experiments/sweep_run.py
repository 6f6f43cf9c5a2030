"""Running the combinations of a sweep, one after another, and what came of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mlctl.experiments.commit import CommitResult, commit_record
from mlctl.experiments.query import find_run, list_runs
from mlctl.experiments.recorded import Recorded, run_and_record
from mlctl.experiments.sweep import Combination, alone, borrowed, prepared
from mlctl.pipeline.events import Emit
from mlctl.pipeline.project import Project
from mlctl.pipeline.request import Options, Where
from mlctl.records.run import RunHead

Select = Callable[[Project], Sequence[int]]
# Shows one combination of so many; what it gives is told what happens.
Show = Callable[[int, int, Combination], AbstractContextManager[Emit]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How every run of a sweep is run, as `run_and_record` has it."""

    argv: Sequence[str]
    jobs: int
    options: Options
    where: Where
    logs: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a combination; `record` is None where every stage was known, or it could not
    even begin, which `message` then says.
    """

    combination: Combination
    status: str
    record: str | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What came of a sweep; `signal` is what interrupted it, `put_back` are parameter files that a
    killed one had left changed.
    """

    tried: tuple[Tried, ...]
    signal: int | None = None
    put_back: tuple[str, ...] = ()


def sweep(
    project: Project,
    found: Sequence[Combination],
    select: Select,
    settings: Settings,
    show: Show,
) -> Sweep:
    """Run each combination in the workspace; the parameter files are as before at the end.

    A combination that fails does not keep the others from running, a signal does. Where one names
    no parameter, or `select` no stage, InvalidInput is raised before anything runs.
    """
    local_dir = project.config.local_dir
    tried: list[Tried] = []
    ended = None
    with alone(local_dir) as put_back:
        texts = prepared(project, found)
        select(project)
        with borrowed(local_dir, {path for of in texts for path in of}) as try_out:
            for number, combination in enumerate(found):
                try_out(texts[number])
                with show(number, len(found), combination) as emit:
                    done = _try(combination, select, settings, emit)
                tried.append(Tried(combination, done.result.status, done.record))
                ended = done.result.signal
                if ended is not None:
                    break
    back = tuple(os.path.relpath(path, project.root) for path in put_back)
    return Sweep(tuple(tried), ended, back)


def commit_sweep(root: str, done: Sweep, *, branch: bool) -> CommitResult | None:
    """Commit the records, and nothing else: what the sweep left in the workspace is one
    combination's, and the parameters are no longer those. None where there is no record.
    """
    records = [tried.record for tried in done.tried if tried.record]
    if not records:
        return None
    number = f"{len(records)} run{'s' if len(records) > 1 else ''}"
    return commit_record(
        root, [*records, "runs/_env"], f"Record a sweep of {number}", branch=branch
    )


def heads_of(root: str, done: Sweep) -> list[RunHead]:
    """The runs of a sweep in their order; of a combination that was known, the one before."""
    known = [tried.combination.name for tried in done.tried if not tried.record]
    earlier = _newest(root, known) if known else {}
    heads = [
        find_run(root, os.path.basename(tried.record))
        if tried.record
        else earlier.get(tried.combination.name)
        for tried in done.tried
    ]
    return [head for head in heads if head is not None]


def _newest(root: str, names: Sequence[str]) -> dict[str, RunHead]:
    wanted = set(names)
    return {head.name: head for head in reversed(list_runs(root)) if head.name in wanted}


def _try(combination: Combination, select: Select, settings: Settings, emit: Emit) -> Recorded:
    project = Project.open()
    try:
        return run_and_record(
            project,
            select(project),
            argv=settings.argv,
            jobs=settings.jobs,
            options=settings.options,
            emit=emit,
            commit=False,
            where=settings.where,
            name=combination.name or None,
            logs=settings.logs,
        )
    finally:
        project.save_state()
