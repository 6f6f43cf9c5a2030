"""Running a recorded run again, in a scratch work tree.

Code, parameters and data may each come from another run, which is what a counterfactual is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mlctl.adapters.files import write_bytes
from mlctl.adapters.git import git
from mlctl.errors import InvalidInput, NotAble, suggestion
from mlctl.experiments.again.placing import Placed, fetch, place_data, require
from mlctl.experiments.again.revision import file_at, resolve, revision_of
from mlctl.experiments.again.scratch import Scratch, scratch
from mlctl.experiments.again.side import Side, side_of
from mlctl.experiments.query import find_run
from mlctl.experiments.recorded import run_and_record
from mlctl.pipeline.events import Emit
from mlctl.pipeline.override import DEFAULT_FILE, set_parameters
from mlctl.pipeline.project import Project
from mlctl.pipeline.request import Options, Where
from mlctl.records.refs import SNAPSHOTS
from mlctl.records.run_stages import StageRecord

HASH_SEED = "PYTHONHASHSEED"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Whose code, parameters and data to run with; `overrides` are `-S`, `revision` is other code.

    `everything` also runs the stages that were up to date in the run; `targets` are the stages to
    run instead of those that ran.
    """

    code: Side
    params: Side
    data: Side
    revision: str | None = None
    overrides: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    everything: bool = False

    @classmethod
    def of(cls, side: Side, **more: Any) -> Recipe:
        """The run as it was, or with what `more` says."""
        return cls(side, side, side, **more)

    def stages(self) -> tuple[StageRecord, ...]:
        """The stages to run. Raises InvalidInput for a target that the run did not have."""
        known = {stage.address: stage for stage in self.code.commands}
        for target in self.targets:
            if target not in known:
                raise InvalidInput(
                    f"the run has no stage {target!r}", hint=suggestion(target, known)
                )
        if self.targets:
            return tuple(stage for stage in known.values() if stage.address in self.targets)
        return self.code.commands if self.everything else self.code.repeated


@dataclass(frozen=True, slots=True)
class How:
    """How to run: `strict` hashes the data, `programs` is a folder to put on PATH."""

    jobs: int = 1
    keep: bool = False
    pull: bool = False
    strict: bool = False
    where: Where = field(default_factory=Where)
    programs: str | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came of it: the run as it was recorded in the scratch, and the work tree if it is kept.

    `altered` are data files whose bytes in the cache are not the recorded ones.
    """

    side: Side
    status: str
    signal: int | None
    altered: Mapping[str, str]
    kept: str | None


def reproduce(root: str, recipe: Recipe, how: How, emit: Emit) -> Rerun:
    """Run the stages of `recipe` again, forced and without the run-cache.

    Nothing of the user's files, lock and cache changes. Raises NotAble that names code or data
    which is not here.
    """
    stages = recipe.stages()
    if not stages:
        raise NotAble(
            "the run has no stage with a command, so nothing can be run again",
            hint="a script outside of a pipeline is run again by hand: see its command line",
        )
    revision = revision_of(root, recipe.code.head)
    if recipe.revision is not None:
        revision = resolve(root, recipe.revision)
    with scratch(root, revision, keep=how.keep) as place:
        _lay_params(root, place, recipe)
        placed = _data(root, place, recipe, stages, how)
        with _environment(how.programs, recipe.code.head.seeds):
            return _run(place, recipe, stages, how, placed, emit)


def _lay_params(root: str, place: Scratch, recipe: Recipe) -> None:
    """The parameters files of the run that parameters come from, in place of the code's own."""
    if recipe.revision is not None or recipe.params is not recipe.code:
        source = revision_of(root, recipe.params.head)
        for key in params_files(recipe.params, recipe.code):
            data = file_at(root, source, key)
            if data is not None:
                write_bytes(os.path.join(place.root, key), data, durable=False)
    if recipe.overrides:
        set_parameters(Project.open(place.root), recipe.overrides)


def params_files(*sides: Side) -> list[str]:
    """The files that parameters come from, in the project."""
    named = {file for side in sides for stage in side.stages for file in stage.params}
    return sorted(f for f in named | {DEFAULT_FILE} if not f.startswith("external:"))


def _data(
    root: str, place: Scratch, recipe: Recipe, stages: Sequence[StageRecord], how: How
) -> Placed:
    source = revision_of(root, recipe.data.head)
    project = Project.open(place.root)
    placed = place_data(project, recipe.data, source, stages, strict=how.strict)
    if placed.missing and how.pull:
        fetch(project, Project.open(root), [file.path for file in placed.missing])
        placed = place_data(project, recipe.data, source, stages, strict=how.strict)
    require(placed, recipe.data.head.id)
    return placed


@contextmanager
def _environment(programs: str | None, seeds: Mapping[str, Any]) -> Iterator[None]:
    """Programs of the folder come first on PATH; hashes have the run's seed, unless one is set."""
    before = {name: os.environ.get(name) for name in ("PATH", HASH_SEED)}
    if programs is not None:
        os.environ["PATH"] = f"{programs}{os.pathsep}{before['PATH'] or os.defpath}"
    if HASH_SEED in seeds and before[HASH_SEED] is None:
        os.environ[HASH_SEED] = str(seeds[HASH_SEED])
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _run(
    place: Scratch,
    recipe: Recipe,
    stages: Sequence[StageRecord],
    how: How,
    placed: Placed,
    emit: Emit,
) -> Rerun:
    project = Project.open(place.root)
    wanted = {stage.address for stage in stages}
    indices = [i for i in project.graph.order() if project.stages[i].address in wanted]
    lacking = wanted - {project.stages[i].address for i in indices}
    if lacking:
        raise InvalidInput(f"the code has no stage {min(lacking)!r}")
    recorded = run_and_record(
        project,
        indices,
        argv=recipe.code.head.argv,
        jobs=how.jobs,
        options=Options(force=True, commit=False, run_cache=False),
        emit=emit,
        commit=False,
        where=how.where,
    )
    result = recorded.result
    git("update-ref", "-d", f"{SNAPSHOTS}{result.run_id}", cwd=place.root, check=False)
    if recorded.record is None:
        raise NotAble("nothing was run again: another process holds what the stages need")
    side = side_of(place.root, find_run(place.root, result.run_id))
    kept = place.root if how.keep else None
    return Rerun(side, result.status, result.signal, placed.altered, kept)
