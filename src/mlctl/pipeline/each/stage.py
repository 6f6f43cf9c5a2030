"""The stage that `mlctl each` runs in, and what its command line means there."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mlctl.errors import ConfigError, InvalidInput, suggestion
from mlctl.pipeline.keys import key_of
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Dep, LockedPath, LockedStage, Out, Stage
from mlctl.pipeline.targets import split
from mlctl.store.config import find_root
from mlctl.store.observed import Entry

_T = TypeVar("_T", Dep, Out)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line; `argv` is all that decides what is written."""

    command: tuple[str, ...]
    over: str | None = None
    out: str | None = None
    name: str = "{item}"

    @property
    def argv(self) -> tuple[str, ...]:
        return (self.name, *self.command)


@dataclass(frozen=True, slots=True)
class Task:
    """A request in its stage: the dep it goes over, the out, the items in order of their paths."""

    over: Dep
    out: Out
    request: Request
    items: tuple[Entry, ...]


def open_project(environment: Mapping[str, str]) -> Project:
    """The project around the current folder, or the engine's where that lies outside of any."""
    here = os.getcwd()
    try:
        root = find_root(here)
    except InvalidInput:
        root = environment.get("DVC_ROOT", here)
    return Project.open(root)


def find_stage(project: Project, environment: Mapping[str, str]) -> Stage:
    """The stage that the engine runs us for. Raises InvalidInput where there is none.

    DVC names it as seen from the folder that `dvc` was called in, which nobody tells us: of several
    that it may mean, the one whose `wdir` we run in is ours.
    """
    address = environment.get("DVC_STAGE")
    if not address:
        raise InvalidInput(
            "`mlctl each` runs inside a stage",
            hint="make it the cmd of a stage in dvc.yaml, and call `mlctl run`",
        )
    here = key_of(os.getcwd(), "", project.root)
    file, name = split(address)
    tail = posixpath.normpath(file)
    while tail.startswith("../"):
        tail = tail.removeprefix("../")
    meant = [
        stage
        for stage in project.stages
        if stage.name == name and (stage.file == tail or stage.file.endswith(f"/{tail}"))
    ]
    exact = [stage for stage in project.stages if stage.address == address]
    near = [stage for stage in meant if stage.wdir == here]
    for choice in ([stage for stage in near if stage in exact], near, exact, meant):
        if len(choice) == 1:
            return choice[0]
    problem = "is in several files" if meant else "is in no dvc.yaml"
    raise InvalidInput(
        f"the stage {address!r} (DVC_STAGE) {problem}", hint="call the engine from the DVC root"
    )


def task_of(stage: Stage, request: Request, out: Out, observer: Observer) -> Task:
    """What the request means in the stage. Raises ConfigError where it does not fit."""
    over = _over(stage, request.over, observer)
    seen = observer.observed(over.key)
    if seen is None or not seen.digest.isdir:
        raise wrong(stage, f"--over {over.path!r} is not a folder", "its files are the items")
    return Task(over, out, request, seen.entries)


def out_of(stage: Stage, path: str | None) -> Out:
    """The out that holds the results. Raises ConfigError where that is not clear."""
    if path is not None:
        out = _named(stage, "--out", path, stage.outs, "an out")
        if not out.cache:
            hint = "leave out its `cache: false`: results are kept in DVC's cache"
            raise wrong(stage, f"--out {path!r} is not cached", hint)
        return out
    cached = [out for out in stage.outs if out.cache]
    if len(cached) == 1:
        return cached[0]
    count = f"{len(cached)} outs are cached" if cached else "no out is cached"
    raise wrong(stage, f"{count}: which holds the results?", "say it with --out")


def inputs_of(stage: Stage, observer: Observer) -> LockedStage:
    """The stage as a lock entry with what goes in now, and its outs by path."""
    return LockedStage(
        stage.cmd,
        tuple(LockedPath(dep.path, observer.digest(dep.key)) for dep in stage.deps),
        {dep.path: observer.params(dep) or {} for dep in stage.params},
        tuple(LockedPath(out.path, None) for out in stage.outs),
    )


def wrong(stage: Stage, message: str, hint: str | None) -> ConfigError:
    """The error for a command line that does not fit its stage, at the stage's `cmd`."""
    where = stage.where if stage.group else f"{stage.where}.cmd"
    return ConfigError(f"mlctl each: {message}", file=stage.file, where=where, hint=hint)


def _over(stage: Stage, path: str | None, observer: Observer) -> Dep:
    if path is not None:
        return _named(stage, "--over", path, stage.deps, "a dep")
    folders = []
    for dep in stage.deps:
        seen = None if "://" in dep.key else observer.observed(dep.key)
        if seen is not None and seen.digest.isdir:
            folders.append(dep)
    if len(folders) == 1:
        return folders[0]
    count = f"{len(folders)} deps are folders" if folders else "no dep is a folder"
    raise wrong(stage, f"{count}: which holds the items?", "say it with --over")


def _named(stage: Stage, option: str, path: str, known: Sequence[_T], what: str) -> _T:
    wanted = posixpath.normpath(path)
    for item in known:
        if posixpath.normpath(item.path) == wanted:
            return item
    names = [item.path for item in known]
    raise wrong(stage, f"{option} {path!r} is not {what} of the stage", suggestion(path, names))
