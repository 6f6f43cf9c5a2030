"""Tracking data with DVC: `mlctl data add` and `mlctl data ls`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlctl.adapters import dvc
from mlctl.adapters.files import read_text, write_text
from mlctl.data import pointer
from mlctl.errors import InvalidInput
from mlctl.pipeline import graph
from mlctl.pipeline.edit import new_dvc_file, update_dvc_file
from mlctl.pipeline.keys import BadPathError, check_out
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.spec import Out, Stage
from mlctl.store import gitignore
from mlctl.store.checkout import relink
from mlctl.store.digest import Digest
from mlctl.store.ignore import Ignore
from mlctl.store.locks import repo_lock
from mlctl.store.observe import observe
from mlctl.store.observed import Observed
from mlctl.store.state import State

Change = Literal["added", "updated", "unchanged"]
Condition = Literal["ok", "modified", "missing"]


@dataclass(frozen=True, slots=True)
class Added:
    """One path that is tracked now; `size` in bytes, `files` 1 for a file."""

    path: str
    md5: str
    size: int
    files: int
    change: Change


@dataclass(frozen=True, slots=True)
class Tracked:
    """One `.dvc` file's data; `state` compares it with what lies in the workspace."""

    path: str
    md5: str | None
    size: int | None
    files: int | None
    source: str | None
    state: Condition


def add(root: str, paths: Sequence[str]) -> list[Added]:
    """Track `paths` (from the root; files and folders) as `dvc add` does, the same bytes.

    The answer names what is tracked: for a file inside a tracked folder that is the folder.

    Raises ConfigError where a path overlaps with what is tracked, and InvalidInput for what cannot
    be tracked. Unusual cases (links, imports, a file inside a tracked folder, DVC 2's hashes) are
    left to `dvc add` itself.
    """
    for path in paths:
        if not os.path.lexists(os.path.join(root, path)):
            raise InvalidInput(f"{path}: no such file or folder")
    project = Project.open(root)
    for path in paths:
        check_may_be_tracked(project, path)
    tracked = list(dict.fromkeys(_tracked_as(project, path) for path in paths))
    before = {path: _md5(root, path) for path in tracked}
    if all(_is_plain(project, path) for path in paths):
        _add_ourselves(project, paths)
    else:
        dvc.ask("add", "--", *paths, cwd=root)
    return [as_added(root, path, before[path]) for path in tracked]


def check_may_be_tracked(project: Project, path: str) -> None:
    """Raise InvalidInput for a path (from the root) that DVC cannot track."""
    try:
        check_out(path, path, project.root)
    except BadPathError as error:
        raise InvalidInput(str(error), hint=error.hint) from None
    if project.is_ignored_out(path):
        raise InvalidInput(
            f"{path}: .dvcignore names it, so DVC cannot track it",
            hint="remove its pattern from .dvcignore",
        )


def _tracked_as(project: Project, path: str) -> str:
    """The tracked folder that `path` lies in, or `path` itself."""
    outs = [out.key for stage in project.stages for out in stage.outs]
    return next((key for key in outs if path.startswith(f"{key}/")), path)


def _is_plain(project: Project, path: str) -> bool:
    """Whether nothing but the common case of `dvc add` is needed to track `path`."""
    file = pointer.pointer_of(path)
    at = os.path.join(project.root, path)
    if project.config.autostage or os.path.realpath(at) != os.path.join(
        os.path.realpath(project.root), path
    ):
        return False
    if project.ignore.is_ignored(path, os.path.isdir(at)) or gitignore.ignored(
        project.config, [file]
    ):
        return False
    if _tracked_as(project, path) != path:
        return False
    existing = next((stage for stage in project.stages if stage.file == file), None)
    if existing is None:
        return not os.path.lexists(os.path.join(project.root, file))
    if set(existing.data or {}) - {"outs", "meta", "desc"} or len(existing.outs) != 1:
        return False
    out = existing.outs[0]
    plain = out.digest is None or not (out.digest.legacy or out.digest.extra)
    return plain and out.key == path and out.cache and out.remote is None


def _add_ourselves(project: Project, paths: Sequence[str]) -> None:
    files = {stage.file for stage in project.stages}
    new = [path for path in paths if pointer.pointer_of(path) not in files]
    stages = [
        Stage(pointer.pointer_of(path), None, outs=(Out(os.path.basename(path), path),))
        for path in new
    ]
    graph.build([*project.stages, *stages])
    gitignore.check_untracked(project.config, paths)
    with open_workspace(project) as workspace, repo_lock(project.config):
        for path in paths:
            seen = workspace.observe(path, to_commit=True)
            if seen is None:
                raise InvalidInput(f"{path}: a link to nothing")
            workspace.cache.commit(seen, flush=False)
            relink(workspace, seen)
            workspace.cache.flush()
            gitignore.ignore(project.config, [path])
            _write_pointer(project.root, path, seen.digest)


def _write_pointer(root: str, path: str, digest: Digest) -> None:
    """Write `<path>.dvc`; what else an existing one says stays, and the same text is left alone."""
    file, name = os.path.join(root, pointer.pointer_of(path)), os.path.basename(path)
    if not os.path.exists(file):
        write_text(file, new_dvc_file(name, digest))
        return
    before = read_text(file, name=pointer.pointer_of(path))
    after = update_dvc_file(before, [Out(name, path, digest=digest)], name=pointer.pointer_of(path))
    if after != before:
        write_text(file, after)


def _md5(root: str, path: str) -> str | None:
    file = pointer.pointer_of(path)
    return pointer.read(root, file).md5 if os.path.isfile(os.path.join(root, file)) else None


def as_added(root: str, path: str, before: str | None) -> Added:
    """What is tracked at `path` now, where its pointer held the hash `before`."""
    now = pointer.read(root, pointer.pointer_of(path))
    change: Change = "unchanged" if before == now.md5 else "updated" if before else "added"
    return Added(path, now.md5 or "", now.size or 0, now.nfiles or 1, change)


def ls(root: str) -> list[Tracked]:
    """All data that `.dvc` files track, by path."""
    ignore = Ignore(root)
    state = State(os.path.join(root, ".mlctl"))
    files = sorted(file for file in ignore.find_files() if file.endswith(".dvc"))
    found = [_tracked(root, file, ignore, state) for file in files]
    state.close()
    return sorted(found, key=lambda tracked: tracked.path)


def _tracked(root: str, file: str, ignore: Ignore, state: State) -> Tracked:
    known = pointer.read(root, file)
    seen = observe(root, known.path, state, ignore)
    source, condition = known.origin.get("source"), compared(seen, known.md5)
    return Tracked(known.path, known.md5, known.size, known.nfiles, source, condition)


def compared(seen: Observed | None, md5: str | None) -> Condition:
    """How what lies in the workspace stands against the hash that is recorded."""
    if seen is None:
        return "missing"
    return "ok" if seen.digest.md5 == md5 else "modified"
