"""Is a stage changed, and why: what the lock says against what was observed.

Pure. The rules are DVC's (`dvc.stage.Stage.changed`): the resolved command, then the deps unless
the stage is frozen, then the outs. DVC stops at the first difference; all of them are told here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlctl.pipeline.params import same_value
from mlctl.pipeline.plan import Detail, Reason
from mlctl.pipeline.spec import Digest, LockedStage, Out, Stage

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was observed of one stage's files, by key; None where a file is missing.

    `params` holds the values of the declared names that exist (all top-level ones for a whole
    file). `cached` are the keys of outs whose locked digest is whole in the cache. Digests are of
    the kind that the lock's entry has (legacy or not).
    """

    deps: Mapping[str, Digest | None] = field(default_factory=dict)
    params: Mapping[str, Params | None] = field(default_factory=dict)
    outs: Mapping[str, Digest | None] = field(default_factory=dict)
    cached: frozenset[str] = frozenset()


def changes(
    stage: Stage,
    locked: LockedStage | None,
    seen: Seen,
    *,
    allow_missing: bool = False,
    upstream: Mapping[str, Digest | None] | None = None,
) -> tuple[Reason, ...]:
    """Every reason why `stage` is changed; empty where it is not.

    With `allow_missing`, a missing dep is no change unless its producer's recorded digest
    (`upstream`, by key) differs from the one recorded here; nor is a missing or uncached out.
    """
    found = list(_changes(stage, locked, seen, allow_missing, upstream or {}))
    if locked is None and found and stage.name is not None and not allow_missing:
        return (Reason("cmd", detail="no lock entry"),)
    return tuple(found)


def _changes(
    stage: Stage,
    locked: LockedStage | None,
    seen: Seen,
    allow_missing: bool,
    upstream: Mapping[str, Digest | None],
) -> Iterator[Reason]:
    if stage.name is not None and locked is not None and locked.cmd != stage.cmd:
        yield Reason("cmd", old=locked.cmd, new=stage.cmd)
    if not stage.frozen:
        if stage.is_callback or stage.always_changed:
            yield Reason("always")
        yield from _dep_changes(stage, locked, seen, allow_missing, upstream)
        yield from _param_changes(stage, locked, seen, allow_missing)
    yield from _out_changes(stage, locked, seen, allow_missing)


def _dep_changes(
    stage: Stage,
    locked: LockedStage | None,
    seen: Seen,
    allow_missing: bool,
    upstream: Mapping[str, Digest | None],
) -> Iterator[Reason]:
    recorded = {entry.path: entry.digest for entry in locked.deps} if locked else {}
    for dep in stage.deps:
        before, now = recorded.get(dep.path), seen.deps.get(dep.key)
        if now is None:
            if allow_missing:
                if dep.key in upstream and not same(before, upstream[dep.key]):
                    yield Reason("dep", dep.path, "modified")
                continue
            yield Reason("dep", dep.path, "deleted")
        elif not same(before, now):
            yield Reason("dep", dep.path, "modified" if before else "new")


def _param_changes(
    stage: Stage, locked: LockedStage | None, seen: Seen, allow_missing: bool
) -> Iterator[Reason]:
    for dep in stage.params:
        recorded = locked.params.get(dep.path) if locked else None
        actual = seen.params.get(dep.key)
        if actual is None:
            if not allow_missing:
                yield Reason("dep", dep.path, "deleted")
            continue
        if recorded is None:
            yield Reason("dep", dep.path, "new")
            continue
        names = dep.names or tuple(dict.fromkeys([*actual, *recorded]))
        for name in names:
            if name not in actual:
                yield Reason("param", dep.path, "deleted", name, recorded.get(name))
            elif name not in recorded:
                yield Reason("param", dep.path, "new", name, None, actual[name])
            elif not same_value(actual[name], recorded[name]):
                yield Reason("param", dep.path, "modified", name, recorded[name], actual[name])


def _out_changes(
    stage: Stage, locked: LockedStage | None, seen: Seen, allow_missing: bool
) -> Iterator[Reason]:
    recorded = {entry.path: entry.digest for entry in locked.outs} if locked else {}
    for out in stage.outs:
        detail = _out_detail(out, recorded.get(out.path), seen)
        if detail and not (allow_missing and detail in {"not in cache", "deleted"}):
            yield Reason("out", out.path, detail)


def _out_detail(out: Out, before: Digest | None, seen: Seen) -> Detail | None:
    if before is not None and out.cache and out.key not in seen.cached:
        return "not in cache"
    now = seen.outs.get(out.key)
    if now is None:
        return "deleted"
    if not same(before, now):
        return "modified" if before else "new"
    return None


def same(one: Digest | None, other: Digest | None) -> bool:
    """Whether two digests name the same content; size and mode are not part of it, as in DVC."""
    if one is None or other is None:
        return one is other
    if one.md5 or other.md5:
        return (one.md5, one.legacy) == (other.md5, other.legacy)
    return dict(one.extra) == dict(other.extra)
