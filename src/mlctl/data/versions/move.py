"""Moving tracked data with its pointer: `mlctl data mv`, in the bytes of `dvc move`."""

from __future__ import annotations

import os
import posixpath

from mlctl.adapters import dvc
from mlctl.adapters.files import remove_file, rename, write_text
from mlctl.data.tracking import check_may_be_tracked
from mlctl.data.versions.pointed import Pointed, changing, exists, find_pointed
from mlctl.errors import InvalidInput
from mlctl.pipeline import graph
from mlctl.pipeline.edit import new_dvc_file
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Out, Stage
from mlctl.store import gitignore


def move(project: Project, source: str, target: str) -> tuple[str, str]:
    """Move tracked data to `target`, a new path or an existing folder; the old and the new key.

    Data that is not in the workspace is moved as a pointer alone. Raises InvalidInput where
    something is in the way, ConfigError where the new path overlaps with what is tracked.
    """
    found = find_pointed(project, source)
    old, new = found.out.key, _goal(project, found.out.key, target)
    pointer = f"{new}.dvc"
    for key in (new, pointer):
        if exists(project, key):
            raise InvalidInput(f"{key} exists", hint="move it away, or name another path")
    check_may_be_tracked(project, new)
    out = Out(posixpath.basename(new), new, digest=found.out.digest, options=found.out.options)
    others = [stage for stage in project.stages if stage is not found.stage]
    graph.build([*others, Stage(pointer, None, outs=(out,))])
    if not found.is_plain or project.config.autostage:
        dvc.ask("move", old, new, cwd=project.root)
        return old, new
    gitignore.check_untracked(project.config, [new])
    with changing(project, [old, new]):
        _move(project, found, new)
    return old, new


def _goal(project: Project, old: str, target: str) -> str:
    key = posixpath.normpath(posixpath.join(project.cwd, target))
    if key.startswith("../") or posixpath.isabs(key):
        raise InvalidInput(f"{target}: not inside of the repository")
    if os.path.isdir(project.path(key)):
        key = posixpath.normpath(posixpath.join(key, posixpath.basename(old)))
    return key


def _move(project: Project, found: Pointed, new: str) -> None:
    """Old and new are ignored by git in between, so that a kill leaves nothing to be committed.

    The pointer keeps its hash, as with DVC: data that was changed is changed after it too.
    """
    old, config = found.out.key, project.config
    os.makedirs(os.path.dirname(project.path(new)), exist_ok=True)
    if exists(project, old):
        gitignore.ignore(config, [new])
        rename(project.path(old), project.path(new))
    write_text(project.path(f"{new}.dvc"), _text(found, posixpath.basename(new)))
    remove_file(project.path(found.file))
    gitignore.unignore(config, [old])
    gitignore.ignore(config, [new])


def _text(found: Pointed, name: str) -> str:
    data, digest = found.stage.data or {}, found.out.digest
    if digest is None:
        raise InvalidInput(f"{found.file}: has no hash, so there is nothing to move")
    top = {key: data[key] for key in ("desc", "frozen") if data.get(key)}
    more = {"meta": data["meta"]} if data.get("meta") else {}
    return new_dvc_file(name, digest, found.out.options, before=top, after=more)
