"""Kept runs pin their objects, so that no garbage collection frees them.

The branch `mlctl/kept` has a `.dvc` file for each kept run, which names the run's objects. It has
no history: `dvc gc` and `dvc push` with `-a` or `-A`, and the same of mlctl, see what is kept now,
and a run that is no longer kept is seen no more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlctl.adapters import clock
from mlctl.adapters.git import Blob, committed, contents, staged
from mlctl.adapters.git_objects import Change, Entry, make_commit, move_ref
from mlctl.experiments.branch_store import tree_prefix
from mlctl.experiments.objects import RunObject
from mlctl.records.refs import KEPT
from mlctl.records.ulid import RANDOM_BYTES, is_ulid, new_ulid

_FOLDER, _OUTS, _WHEN = "kept", "outs.dvc", "when"
_CONFIG = ".dvc/config"  # names the remotes: DVC pushes nothing of a commit that has none
_MESSAGE = "What the kept runs of this repository refer to"


@dataclass(frozen=True, slots=True)
class _Pin:
    """`when` is a ULID, of when it was made or given up; `outs` is None where it was given up."""

    when: bytes
    outs: Entry | None


def pin(root: str, runs: Mapping[str, Sequence[RunObject]]) -> None:
    """Pin the objects of runs, by id. Raises ToolFailed where git refuses."""
    changes: dict[str, Change] = {}
    for run_id, objects in runs.items():
        changes[f"{_FOLDER}/{run_id}/{_OUTS}"] = pin_text(objects).encode()
        changes[f"{_FOLDER}/{run_id}/{_WHEN}"] = _now()
    _change(root, lambda _: changes)


def unpin(root: str, run_ids: Iterable[str]) -> None:
    """Take the pins of runs away. That it was done stays, so that no clone brings them back."""
    chosen = set(run_ids)

    def give_up(old: str | None) -> dict[str, Change]:
        changes: dict[str, Change] = {}
        for run_id in chosen.intersection(_pins(root, old)):
            changes[f"{_FOLDER}/{run_id}/{_OUTS}"] = None
            changes[f"{_FOLDER}/{run_id}/{_WHEN}"] = _now()
        return changes

    _change(root, give_up)


def forget(root: str, run_ids: Iterable[str]) -> None:
    """Remove the pins of runs that have no record here; another clone may bring them back."""
    chosen = set(run_ids)

    def without(old: str | None) -> dict[str, Change]:
        return {f"{_FOLDER}/{run_id}": None for run_id in chosen.intersection(_pins(root, old))}

    _change(root, without)


def pinned_runs(root: str) -> set[str]:
    """The ids of the runs that are pinned."""
    return {run_id for run_id, it in _pins(root, KEPT).items() if it.outs is not None}


def take_over(root: str, revision: str) -> None:
    """Take in what another clone pinned and gave up, which is in `revision`; the latest counts."""

    def theirs(old: str | None) -> dict[str, Change]:
        ours, changes = _pins(root, old), dict[str, Change]()
        for run_id, it in _pins(root, revision).items():
            if run_id not in ours or ours[run_id].when < it.when:
                changes[f"{_FOLDER}/{run_id}/{_OUTS}"] = it.outs
                changes[f"{_FOLDER}/{run_id}/{_WHEN}"] = it.when
        return changes

    _change(root, theirs)


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


def _now() -> bytes:
    return new_ulid(clock.now(), os.urandom(RANDOM_BYTES)).encode()


def _pins(root: str, revision: str | None) -> dict[str, _Pin]:
    if revision is None:
        return {}
    found: dict[str, dict[str, Blob]] = {}
    for blob in committed(root, revision):
        parts = blob.path.split("/")
        if len(parts) == len((_FOLDER, "id", _OUTS)) and parts[0] == _FOLDER and is_ulid(parts[1]):
            found.setdefault(parts[1], {})[parts[2]] = blob
    whole = {run_id: files for run_id, files in found.items() if _WHEN in files}
    whens = contents([files[_WHEN].oid for files in whole.values()], root)
    pins = {}
    for (run_id, files), when in zip(whole.items(), whens, strict=True):
        outs = files.get(_OUTS)
        pins[run_id] = _Pin(when, Entry(outs.mode, outs.oid) if outs is not None else None)
    return pins


def _change(root: str, make: Callable[[str | None], Mapping[str, Change]]) -> None:
    """Set the branch to a new first commit, with what `make` changes in the present one, by key."""
    prefix = tree_prefix(root)

    def changed(old: str | None) -> str | None:
        changes = make(old)
        config: dict[str, Change] = {
            it.path: Entry(it.mode, it.oid) for it in staged(root, _CONFIG)
        }
        by_path = {prefix + key: it for key, it in (config | dict(changes)).items()}
        return make_commit(root, _MESSAGE, by_path, base=old) if changes else None

    move_ref(root, KEPT, changed)
