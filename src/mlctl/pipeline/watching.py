"""`mlctl watch`: look, run what changed, and look again.

A look is the question that `mlctl status` asks, put twice a second. It stats what stages read and
hashes only what is new, which costs some hundredths of a second for hundreds of stages. Events of
the operating system would be quicker to come and would miss network file systems, need a list of
what to watch kept in step with `dvc.yaml`, and one more library; and after an event the question
would have to be asked all the same.

A stage that failed stays changed: it is run again when what it reads is different from what was
tried. What no stage writes is compared, since a failed run removes the outs of its stages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mlctl.adapters import clock
from mlctl.errors import Busy, MlctlError, refused
from mlctl.pipeline.keys import touch
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.plan import propagate
from mlctl.pipeline.planning import judge
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.spec import Stage

PAUSE = 0.5  # seconds from one look to the next
SETTLE = 0.2  # seconds for which what changed must stay as it is before it counts
_SHARE = 10  # a look that takes long, with URLs in it, is taken once in that many times as long

Sources = Mapping[str, Any]  # address of a stage -> what it reads that no stage writes


@dataclass(frozen=True, slots=True)
class Look:
    """The project at one moment: the stages to run, which are changed, and what those read."""

    project: Project
    indices: Sequence[int]
    changed: frozenset[str]
    sources: Sources


A = TypeVar("A")
T = TypeVar("T")
Take = Callable[[Collection[str]], Look]
Tell = Callable[[MlctlError | None], None]


def look(select: Callable[[Project], Sequence[int]], known: Collection[str] = ()) -> Look:
    """Read the project anew and judge the stages that `select` picks.

    The sources are those of changed stages and of `known` ones. Raises MlctlError for what a run
    would refuse, Busy where a file is being written.
    """
    project = Project.open()
    indices = select(project)
    with open_workspace(project) as workspace:
        observer = Observer(project, workspace)
        steps = propagate(judge(observer, indices))
        changed = frozenset(step.stage.address for step in steps if step.changed)
        sources = {
            step.stage.address: _sources(observer, index)
            for index, step in zip(indices, steps, strict=True)
            if step.changed or step.stage.address in known
        }
    project.save_state()
    return Look(project, indices, changed, sources)


def watch(take: Take, run: Callable[[Look], int | None], tell: Tell) -> int | None:
    """Run all that is changed, then again whenever something else is, until Ctrl-C.

    `take` is `look`. `run` returns the signal that ended it, if one did, which is returned here and
    ends the watch. `tell` hears of every error that the watch outlives, and gets None when it waits
    for changes. What is wrong at the very start is raised, and so is a Ctrl-C that comes before the
    watch waits.
    """
    seen = take(())
    while True:
        ended, error = _try(run, seen)
        if error is not None:
            tell(error)
        if ended is not None:
            return ended
        try:
            tell(None)
            seen = _await_news(take, tell, _to_run(seen))
        except KeyboardInterrupt:
            return None


def _await_news(take: Take, tell: Tell, tried: Sources) -> Look:
    """The first settled look that finds something to run, other than what was tried in vain."""
    known = frozenset(tried)
    before: Any = None
    complaint: str | None = None
    while True:
        begin = clock.monotonic()
        seen, error = _try(take, known)
        if isinstance(error, Busy):  # a file is just being written: it will be there next time
            error = None
        if seen is not None:  # what is not changed any more was not tried in vain
            tried = {a: tried[a] for a in tried if a in seen.changed}
        now: Any = seen.sources if seen is not None else str(error)
        settled, before = now == before, now
        if settled and error is not None and str(error) != complaint:
            complaint = str(error)
            tell(error)
        elif settled and seen is not None:
            if any(a not in tried or tried[a] != seen.sources[a] for a in seen.changed):
                return seen
            if complaint is not None:
                complaint = None
                tell(None)
        cost = clock.monotonic() - begin
        clock.sleep(max(PAUSE if settled else SETTLE, cost * _SHARE))


def _try(action: Callable[[A], T], argument: A) -> tuple[T | None, MlctlError | None]:
    """What `action` returns, or what is wrong: with the project, or with the machine."""
    try:
        return action(argument), None
    except MlctlError as error:
        return None, error
    except BrokenPipeError:  # nobody reads what the watch tells
        raise
    except OSError as error:
        return None, refused(error)


def _to_run(seen: Look) -> Sources:
    addresses = (seen.project.stages[index].address for index in seen.indices)
    return {a: seen.sources[a] for a in addresses if a in seen.changed}


def _sources(observer: Observer, index: int) -> Any:
    project = observer.project
    stage: Stage = project.stages[index]
    made = [out.key for n in project.graph.needs[index] for out in project.stages[n].outs]
    deps = {
        dep.key: observer.digest(dep.key)
        for dep in stage.deps
        if not any(touch(dep.key, key) for key in made)
    }
    return stage.cmd, deps, {dep.key: observer.params(dep) for dep in stage.params}
