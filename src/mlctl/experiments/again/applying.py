"""Bringing a run's parameters and outs into the workspace, with the entries of `dvc.lock`.

Everything is looked at before anything is written; what nobody else has is kept aside.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mlctl.adapters import clock
from mlctl.adapters.files import copy_file, read_text, rename, write_bytes, write_text
from mlctl.adapters.git import git
from mlctl.errors import InvalidInput, NotAble
from mlctl.experiments.again.lock_entries import digest_of, locked_stage
from mlctl.experiments.again.reproducing import params_files
from mlctl.experiments.again.revision import file_at, in_history, made_file, revision_of
from mlctl.experiments.again.side import Side
from mlctl.pipeline import lockfile
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.spec import LockedStage, Out, Stage
from mlctl.records.run_stages import StageRecord
from mlctl.records.ulid import new_ulid, short_form
from mlctl.store import gitignore
from mlctl.store.checkout import checkout
from mlctl.store.digest import Digest
from mlctl.store.locks import claimed, repo_lock
from mlctl.store.observed import Observed
from mlctl.store.workspace import Workspace

_HAVE_OUTS = ("ran", "restored", "unchanged")


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the workspace. `left` are outs that neither git nor the cache has, `unknown`
    stages that the pipeline has no more; `aside` is the folder of what was replaced by force.
    """

    params: tuple[str, ...]
    outs: tuple[str, ...]
    locks: tuple[str, ...]
    left: tuple[str, ...]
    unknown: tuple[str, ...]
    aside: str | None


@dataclass(slots=True)
class _Plan:
    """What is to be written: bytes by key, and digests of what the cache has by key.

    `of_git` are those of the latter that git keeps: files of their own, and not ignored.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    outs: dict[str, Digest] = field(default_factory=dict)
    of_git: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    at_risk: dict[str, str] = field(default_factory=dict)  # key -> why it would be lost


def apply(root: str, side: Side, *, force: bool = False) -> Applied:
    """Make the workspace's parameters, outs and lock entries those of the run.

    Raises InvalidInput over changes that are nowhere else, unless `force`, which keeps them in
    `.mlctl/replaced`; NotAble where the cache lacks outs. Nothing is touched then.
    """
    revision = revision_of(root, side.head)
    project = Project.open(root)
    stages = {stage.address: stage for stage in project.stages if stage.name is not None}
    recorded = [s for s in side.commands if s.outcome in _HAVE_OUTS]
    chosen = [(stages[s.address], s) for s in recorded if s.address in stages]
    _refuse_unmerged(project, [stage for stage, _ in chosen])
    paths = [project.path(out.key) for stage, _ in chosen for out in stage.outs]
    claim = claimed(project.config, "mlctl exp apply", paths)
    with open_workspace(project) as workspace, claim:
        plan = _Plan()
        params = _plan_params(root, side, revision, plan)
        _plan_outs(workspace, side, chosen, plan)
        locks = {stage.record_file for stage, it in chosen if _is_other(project, stage, it)}
        _look_at_files(root, [*plan.files, *locks], plan)
        if plan.at_risk and not force:
            raise _refusal(plan)
        aside = _set_aside(root, plan) if plan.at_risk else None
        changed = _check_out(workspace, plan)
        for key, data in plan.files.items():
            write_bytes(workspace.path(key), data)
        gitignore.ignore(project.config, plan.outs.keys() - plan.of_git)
    written = _write_locks(root, side, [stage.address for stage, _ in chosen])
    return Applied(
        params=tuple(key for key in params if key in plan.files),
        outs=(*changed, *(key for key in plan.files if key not in params)),
        locks=written,
        left=tuple(plan.left),
        unknown=tuple(s.address for s in recorded if s.address not in stages),
        aside=aside,
    )


def _refuse_unmerged(project: Project, stages: Iterable[Stage]) -> None:
    for stage in stages:
        project.locked(stage)
    if project.merges:
        raise InvalidInput(
            f"{next(iter(project.merges))} holds git conflict markers",
            hint="`mlctl run` merges it, stage by stage",
        )


def _is_other(project: Project, stage: Stage, record: StageRecord) -> bool:
    """Whether the lock has another entry of the stage than the run's."""
    now = project.locked(stage)
    name = stage.name or ""
    wanted = lockfile.stage_text(name, locked_stage(project, stage, record))
    return now is None or lockfile.stage_text(name, now) != wanted


def _plan_params(root: str, side: Side, revision: str, plan: _Plan) -> list[str]:
    """The parameters files of the run; those that differ now are to be written."""
    keys = params_files(side)
    for key in keys:
        data = file_at(root, revision, key)
        if data is not None and data != _bytes(os.path.join(root, key)):
            plan.files[key] = data
    return keys


def _plan_outs(
    workspace: Workspace,
    side: Side,
    chosen: Iterable[tuple[Stage, StageRecord]],
    plan: _Plan,
) -> None:
    missing = []
    for stage, record in chosen:
        known = {out.key: out for out in stage.outs}
        for file in record.outs:
            out, digest = known.get(file.path), digest_of(file)
            if out is None or digest is None or not digest.md5:
                continue
            now = workspace.observe(out.key, legacy=digest.legacy)
            if now is not None and now.digest.md5 == digest.md5:
                continue
            if workspace.cache.has(digest):
                plan.outs[out.key] = digest
                if not out.cache:
                    plan.of_git.add(out.key)
                _look_at_out(workspace, out, now, plan)
            elif out.cache:
                missing.append(f"{out.key} ({file.digest})")
            else:
                _plan_git_out(workspace.root, side, out, digest, plan)
    if missing:
        raise NotAble(
            f"outs of run {short_form(side.head.id)} are not in the cache: {', '.join(missing)}",
            hint="`mlctl exp pull` fetches those of a kept run; `mlctl exp reproduce` makes them",
        )


def _plan_git_out(root: str, side: Side, out: Out, digest: Digest, plan: _Plan) -> None:
    """An out that git keeps, as it was committed with the run's record."""
    data = made_file(root, side.head, out.key, digest.md5)
    if data is None:
        plan.left.append(out.key)
    else:
        plan.files[out.key] = data


def _look_at_out(workspace: Workspace, out: Out, now: Observed | None, plan: _Plan) -> None:
    if now is None or not out.cache:
        if now is not None and not out.cache:
            _look_at_files(workspace.root, [out.key], plan)
        return
    legacy = now.digest.legacy
    if not all(workspace.cache.exists(entry.md5, legacy=legacy) for entry in now.entries):
        plan.at_risk[out.key] = "its content is not in the cache"


def _look_at_files(root: str, keys: Iterable[str], plan: _Plan) -> None:
    """Note which of the files `keys` have content that is in no commit."""
    there = [key for key in keys if os.path.lexists(os.path.join(root, key))]
    if not there:
        return
    options = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored")
    literal = {"GIT_LITERAL_PATHSPECS": "1"}
    said = git("status", *options, "--", *there, cwd=root, env=literal).stdout
    prefix = git("rev-parse", "--show-prefix", cwd=root).stdout.removesuffix("\n")
    for entry in filter(None, said.split("\0")):
        key = entry[3:].removeprefix(prefix)
        if not in_history(root, key):
            plan.at_risk[key] = "it has changes that are in no commit"


def _check_out(workspace: Workspace, plan: _Plan) -> list[str]:
    """Bring the outs from the cache; the keys of those that changed."""
    copying = workspace.with_copies()
    return [
        key
        for key, digest in plan.outs.items()
        if checkout(copying if key in plan.of_git else workspace, digest, key)
    ]


def _refusal(plan: _Plan) -> InvalidInput:
    lines = [f"{key}: {why}" for key, why in sorted(plan.at_risk.items())]
    return InvalidInput(
        "the run would replace what is nowhere else:\n" + "\n".join(f"  {line}" for line in lines),
        hint="commit it first, or use --force, which keeps it in .mlctl/replaced",
    )


def _set_aside(root: str, plan: _Plan) -> str:
    """Copy files, and move outs, that would be lost into a folder of their own; its key."""
    folder = posixpath.join(".mlctl", "replaced", new_ulid(clock.now(), os.urandom(10)))
    for key in plan.at_risk:
        source, target = os.path.join(root, key), os.path.join(root, folder, key)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if key in plan.outs:
            rename(source, target)
        else:
            copy_file(source, target)
    return folder


def _write_locks(root: str, side: Side, addresses: Iterable[str]) -> tuple[str, ...]:
    """Bring the run's entries into the locks; the locks that changed."""
    project = Project.open(root)  # the parameters are the run's now
    stages = {stage.address: stage for stage in project.stages}
    records = {record.address: record for record in side.stages}
    updates: dict[str, dict[str, LockedStage]] = {}
    for address in addresses:
        stage = stages.get(address)
        if stage is not None and stage.name is not None:
            entry = locked_stage(project, stage, records[address])
            updates.setdefault(stage.record_file, {})[stage.name] = entry
    order = [name for i in project.graph.order() if (name := project.stages[i].name) is not None]
    with repo_lock(project.config):
        return tuple(key for key in sorted(updates) if _write_lock(root, key, updates[key], order))


def _write_lock(root: str, key: str, updates: Mapping[str, LockedStage], order: list[str]) -> bool:
    path = os.path.join(root, key)
    before = read_text(path, name=key) if os.path.exists(path) else None
    text = lockfile.splice(before, updates, order)
    if text != before:
        write_text(path, text)
    return text != before


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
