"""Data that a `.dvc` file tracks, found by the path of either; and whether it is the plain case."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mlctl.errors import InvalidInput, did_you_mean
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Out, Stage
from mlctl.store.locks import claimed

# Of the outs of a `.dvc` file that `dvc add` writes, with the notes that people add.
_PLAIN_OUT = {"md5", "size", "nfiles", "isexec", "hash", "path", "desc", "type", "labels", "meta"}
_PLAIN_FILE = {"outs", "desc", "meta", "frozen"}


@dataclass(frozen=True, slots=True)
class Pointed:
    """One out of a `.dvc` file."""

    stage: Stage
    out: Out

    @property
    def file(self) -> str:
        """The key of the `.dvc` file."""
        return self.stage.file

    @property
    def is_plain(self) -> bool:
        """Whether it is as `dvc add` makes it; all else is left to DVC itself."""
        data = self.stage.data or {}
        outs = data.get("outs") or []
        digest = self.out.digest
        return (
            not set(data) - _PLAIN_FILE
            and len(outs) == 1
            and not set(outs[0]) - _PLAIN_OUT
            and digest is not None
            and not digest.legacy
            and self.file == f"{self.out.key}.dvc"
        )


def find_pointed(project: Project, target: str) -> Pointed:
    """What `target` (a path of data, or its `.dvc` file) tracks. Raises InvalidInput."""
    path = posixpath.normpath(posixpath.join(project.cwd, target))
    for stage in project.stages:
        if stage.name is None and stage.outs:
            if stage.file == path or path in {out.key for out in stage.outs}:
                out = next((out for out in stage.outs if out.key == path), stage.outs[0])
                return Pointed(stage, out)
        elif any(out.key == path for out in stage.outs) or stage.address == target:
            raise InvalidInput(
                f"{target}: stage {stage.address!r} makes it",
                hint=f"edit {stage.file}; this verb is for data that a `.dvc` file tracks",
            )
    known = [out.key for stage in project.stages if stage.name is None for out in stage.outs]
    raise InvalidInput(
        f"{target}: no `.dvc` file tracks it",
        hint=did_you_mean(path, known) or "`mlctl data ls` shows what is tracked",
    )


def changing(project: Project, keys: Sequence[str]) -> AbstractContextManager[None]:
    """Hold the repository, and `keys` against stages that read or write them. Raises Busy."""
    return claimed(project.config, "mlctl data", [project.path(key) for key in keys])


def exists(project: Project, key: str) -> bool:
    """Whether anything lies at `key`."""
    return os.path.lexists(project.path(key))
