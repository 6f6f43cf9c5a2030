"""What a run read that is not code, brought into a scratch work tree by its digest."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from mlctl.adapters.files import write_bytes
from mlctl.data.versions.checkout import checkout as checkout_outs
from mlctl.data.versions.events import quiet
from mlctl.data.versions.fetch import fetch as fetch_outs
from mlctl.errors import InvalidInput, MlctlError, NotAble
from mlctl.experiments.again.kinds import is_inside, kind_of, outs_of
from mlctl.experiments.again.lock_entries import digest_of
from mlctl.experiments.again.revision import file_at
from mlctl.experiments.again.side import Side
from mlctl.pipeline.project import Project, open_workspace
from mlctl.records.run_stages import FileRecord, StageRecord
from mlctl.records.ulid import short_form
from mlctl.store import gitignore
from mlctl.store.cache import MissingObjects
from mlctl.store.checkout import checkout
from mlctl.store.digest import Digest
from mlctl.store.verify import Object, object_md5, verify
from mlctl.store.workspace import Workspace

_BROUGHT = ("added", "modified", "unchanged")
_SHOWN = 5  # missing files that a message names


@dataclass(slots=True)
class Placed:
    """`altered` are files whose object in the cache is not what its name says: path -> its md5.

    `missing` are files that are nowhere here.
    """

    altered: dict[str, str] = field(default_factory=dict)
    missing: list[FileRecord] = field(default_factory=list)


def place_data(
    project: Project,
    side: Side,
    revision: str | None,
    stages: Sequence[StageRecord],
    *,
    strict: bool,
) -> Placed:
    """Bring what `stages` read of data, as the run `side` had it, into the work tree of `project`.

    It comes from the cache, or out of the run's `revision` in git. What the stages make themselves,
    code, URLs and what lies outside of the project are left. With `strict` the objects are hashed.
    """
    placed = Placed()
    recorded = {s.address: s for s in side.stages}
    made = outs_of(stages)
    wanted = {
        dep.path: dep
        for stage in stages
        for dep in recorded.get(stage.address, stage).deps
        if not any(is_inside(dep.path, out) for out in made) and _is_wanted(project, side, dep)
    }
    with open_workspace(project) as workspace:
        for dep in wanted.values():
            _place(workspace, dep, revision, placed, strict)
    placed.missing = [dep for dep in placed.missing if not _by_pointer(project, dep.path, made)]
    gitignore.ignore(project.config, [path for path in wanted if path not in side.tracked])
    return placed


def require(placed: Placed, run_id: str) -> None:
    """Raise NotAble that names what is missing, and how to get it."""
    if placed.missing:
        names = [_missing(file, placed) for file in placed.missing[:_SHOWN]]
        left = len(placed.missing) - len(names)
        more = f" and {left} more" if left else ""
        raise NotAble(
            f"data of run {short_form(run_id)} is not here: {', '.join(names)}{more}",
            hint="`--pull` fetches it from the remote, or `mlctl exp pull` what a kept run had",
        )


def _missing(file: FileRecord, placed: Placed) -> str:
    altered = ", altered in the cache" if file.path in placed.altered else ""
    return f"{file.path} ({file.digest}{altered})"


def _is_wanted(project: Project, side: Side, dep: FileRecord) -> bool:
    if "://" in dep.path or dep.path.startswith("external:"):
        return False
    if kind_of(dep.path, outs_of(side.stages), side.tracked) != "code":
        return True
    return not os.path.lexists(project.path(dep.path))  # code that no commit has


def _place(
    workspace: Workspace, dep: FileRecord, revision: str | None, placed: Placed, strict: bool
) -> None:
    digest = digest_of(dep)
    if digest is None or not digest.md5:
        return
    now = workspace.observe(dep.path, legacy=digest.legacy)
    if now is not None and now.digest.md5 == digest.md5:
        return
    if strict:
        _look_at(workspace, dep, digest, placed)
    try:
        checkout(workspace, digest, dep.path)
    except MissingObjects:
        data = (
            None
            if revision is None or digest.isdir
            else file_at(workspace.root, revision, dep.path)
        )
        if data is not None:
            write_bytes(workspace.path(dep.path), data, durable=False)
        elif now is None or digest.isdir:  # git has some files of the folder
            placed.missing.append(dep)


def _by_pointer(project: Project, path: str, made: Collection[str]) -> bool:
    """Bring what the code's own pointers and locks say of `path`: it may be a part of what they
    track, or hold several outs, so that the cache has no object of its digest. What the stages to
    run make in it (`made`) need not be there.
    """
    try:
        found = checkout_outs(project, [path], force=True)
    except InvalidInput:  # nothing tracks it
        return os.path.lexists(project.path(path))
    return all(it.outcome in _BROUGHT or it.path in made for it in found)


def _look_at(workspace: Workspace, dep: FileRecord, digest: Digest, placed: Placed) -> None:
    """Note what is altered among the objects of a dep."""
    cache = workspace.cache
    objects = [Object(digest.md5, digest.legacy)]
    if digest.isdir:
        try:
            entries = cache.tree(digest.md5, legacy=digest.legacy)
        except MlctlError:
            return
        objects += [Object(entry.md5, digest.legacy) for entry in entries]
    flaws, _ = verify(cache, objects, jobs=os.cpu_count() or 1, progress=_nobody)
    for flaw in flaws:
        if flaw.problem in ("damaged", "torn"):
            path = cache.path(flaw.object.md5, legacy=flaw.object.legacy)
            placed.altered[dep.path] = object_md5(path, legacy=flaw.object.legacy)


def _nobody(_size: int, _objects: int) -> None:
    """Nobody watches."""


def fetch(project: Project, source: Project, paths: Iterable[str]) -> None:
    """Bring what the pointers and locks of `project` say of `paths` from `source`'s remotes."""
    # A remote may be a folder relative to the user's own project.
    there = replace(project, config=source.config)
    fetch_outs(there, list(paths), remote=None, jobs=None, emit=quiet)
