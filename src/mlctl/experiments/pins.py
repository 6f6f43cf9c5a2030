"""Kept runs pin their objects, so that no garbage collection frees them.

The branch `mlctl/kept` has a `.dvc` file for each kept run, which names the run's objects. It has
no history: `dvc gc` and `dvc push` with `-a` or `-A`, and the same of mlctl, see what is kept now,
and a run that is no longer kept is seen no more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from mlctl.adapters.git import Blob, committed, staged
from mlctl.adapters.git_objects import Change, Entry, make_commit, move_ref
from mlctl.experiments.branch_store import tree_prefix
from mlctl.experiments.objects import RunObject
from mlctl.records.refs import KEPT
from mlctl.records.ulid import is_ulid

_FILE = "outs.dvc"
_CONFIG = ".dvc/config"  # names the remotes: DVC pushes nothing of a commit that has none
_MESSAGE = "What the kept runs of this repository refer to"


def pin(root: str, runs: Mapping[str, Sequence[RunObject]]) -> None:
    """Pin the objects of runs, by id. Raises ToolFailed where git refuses."""
    prefix = tree_prefix(root)
    _change(root, {_path(prefix, run_id): pin_text(it).encode() for run_id, it in runs.items()})


def unpin(root: str, run_ids: Iterable[str]) -> None:
    """Take the pins of runs away."""
    prefix = tree_prefix(root)
    _change(root, {_path(prefix, run_id): None for run_id in run_ids})


def pinned_runs(root: str) -> set[str]:
    """The ids of the runs that are pinned."""
    return {run_of(blob.path) for blob in _pins(root, KEPT)}


def take_over(root: str, revision: str, forgotten: Iterable[str]) -> None:
    """Add the pins that another clone has in `revision`, but for those of the runs `forgotten`."""
    prefix, ours = tree_prefix(root), pinned_runs(root)
    left_out = {*forgotten, *ours}
    theirs = [blob for blob in _pins(root, revision) if run_of(blob.path) not in left_out]
    _change(root, {prefix + blob.path: Entry(blob.mode, blob.oid) for blob in theirs})


def pin_text(objects: Sequence[RunObject]) -> str:
    """A `.dvc` file that names objects: each is an out by its digest. Pure."""
    lines = ["outs:" if objects else "outs: []"]
    for it in objects:
        facts = {"size": it.digest.size, "nfiles": it.digest.nfiles}
        lines.append(f"- md5: {it.digest.md5}")
        lines += [f"  {name}: {value}" for name, value in facts.items() if value is not None]
        lines += [] if it.digest.legacy else ["  hash: md5"]
        lines += [f"  path: {it.digest.md5.removesuffix('.dir')}", f"  desc: {json.dumps(it.key)}"]
    return "\n".join(lines) + "\n"


def run_of(path: str) -> str:
    """The run that a pin is of, by its path: `kept/<id>/outs.dvc`."""
    return path.split("/")[-2]


def _path(prefix: str, run_id: str) -> str:
    return f"{prefix}kept/{run_id}/{_FILE}"


def _pins(root: str, revision: str) -> list[Blob]:
    found = committed(root, revision)
    return [it for it in found if it.path.endswith(f"/{_FILE}") and is_ulid(run_of(it.path))]


def _change(root: str, changes: Mapping[str, Change]) -> None:
    if not changes:
        return

    def make(old: str | None) -> str | None:
        known = {prefix + blob.path for blob in _pins(root, old)} if old else set()
        real = {path: it for path, it in changes.items() if it is not None or path in known}
        config = {prefix + it.path: Entry(it.mode, it.oid) for it in staged(root, _CONFIG)}
        return make_commit(root, _MESSAGE, config | real, base=old) if real else None

    prefix = tree_prefix(root)
    move_ref(root, KEPT, make)
