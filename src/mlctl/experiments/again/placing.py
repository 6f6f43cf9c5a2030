"""What a run read that is not code, brought into a scratch work tree by its digest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from mlctl.adapters.files import write_bytes
from mlctl.errors import MlctlError, NotAble
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
    gitignore.ignore(project.config, [path for path in wanted if path not in side.tracked])
    return placed


def require(placed: Placed, run_id: str) -> None:
    """Raise NotAble that names what is missing, and how to get it."""
    if placed.missing:
        names = ", ".join(f"{f.path} ({f.digest})" for f in placed.missing[:5])
        more = f" and {len(placed.missing) - 5} more" if len(placed.missing) > 5 else ""
        raise NotAble(
            f"data of run {short_form(run_id)} is not here: {names}{more}",
            hint="`--pull` fetches it from the remote, or `mlctl exp pull` what a kept run had",
        )


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
        elif now is None:
            placed.missing.append(dep)


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
    from mlctl.data.versions.events import quiet
    from mlctl.data.versions.fetch import fetch as fetch_outs

    # A remote may be a folder relative to the user's own project.
    there = replace(project, config=source.config)
    fetch_outs(there, list(paths), remote=None, jobs=None, emit=quiet)
