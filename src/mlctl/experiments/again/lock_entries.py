"""The entry of `dvc.lock` that a run's record stands for."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from mlctl.errors import InvalidInput
from mlctl.experiments.capture import machine_scrubber
from mlctl.experiments.describe import label
from mlctl.pipeline import params
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Dep, LockedPath, LockedStage, Out, ParamsDep, Stage
from mlctl.records.canonical import plain
from mlctl.records.run_stages import FileRecord, StageRecord
from mlctl.records.secrets import hidden
from mlctl.store.digest import Digest

_LEGACY = "md5-dos2unix"


def digest_of(file: FileRecord) -> Digest | None:
    """The digest as DVC writes it, or None where none was recorded."""
    if file.digest is None:
        return None
    kind, _, value = file.digest.partition(":")
    if kind in ("md5", _LEGACY):
        return Digest(value, file.size, file.nfiles, legacy=kind == _LEGACY)
    return Digest("", file.size, file.nfiles, extra={kind: value})


def locked_stage(project: Project, stage: Stage, record: StageRecord) -> LockedStage:
    """What DVC would have written of `stage` after the run."""
    scrub = machine_scrubber(project.root)
    cmd = stage.cmd
    said = scrub(cmd) if isinstance(cmd, str) else cmd and tuple(scrub(line) for line in cmd)
    before = project.locked(stage)
    known = {it.path: it.digest for it in before.outs} if before else {}
    return LockedStage(
        cmd if said == record.cmd else record.cmd,
        _paths(record.deps, stage.deps, stage.wdir, {}),
        _params(project, stage, record),
        _paths(record.outs, stage.outs, stage.wdir, known),
    )


def _paths(
    files: Sequence[FileRecord],
    declared: Sequence[Dep] | Sequence[Out],
    wdir: str,
    known: Mapping[str, Digest | None],
) -> tuple[LockedPath, ...]:
    """The entries; a digest that is `known` is taken whole, with its mode."""
    names = {label(item.key): item.path for item in declared}
    found = []
    for file in files:
        path = names.get(file.path) or posixpath.relpath(file.path, wdir or ".")
        digest, before = digest_of(file), known.get(path)
        same = digest is not None and before is not None and before.md5 == digest.md5
        found.append(LockedPath(path, before if same else digest))
    return tuple(found)


def _params(project: Project, stage: Stage, record: StageRecord) -> dict[str, Mapping[str, Any]]:
    """By file as written. A record hides secrets: where the file says the same, it is asked."""
    declared = {label(dep.key): dep for dep in stage.params}
    found: dict[str, Mapping[str, Any]] = {}
    for file, values in record.params.items():
        dep = declared.get(file)
        now = _values(project, dep, tuple(values)) if dep else {}
        path = dep.path if dep else file
        found[path] = now if plain(hidden("", now)) == values else values
    return found


def _values(project: Project, dep: ParamsDep, names: tuple[str, ...]) -> Mapping[str, Any]:
    data = project.params_file(dep.key)
    try:
        return params.select(data or {}, names)
    except InvalidInput:  # a name that stands for several
        return {}
