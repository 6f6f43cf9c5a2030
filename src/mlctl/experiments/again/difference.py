"""What differs between two runs, from their records alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlctl.experiments.again.kinds import Kind, kind_of, outs_of
from mlctl.experiments.again.side import Side
from mlctl.records.run_stages import StageRecord

What = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One named value that differs; `old` or `new` is None where one side has none."""

    name: str
    what: What
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric; `relative` is the difference as a share of the old value's size."""

    name: str
    old: float | None
    new: float | None
    difference: float | None
    relative: float | None


@dataclass(frozen=True, slots=True)
class DataChange:
    """One dep whose digest differs. `kind` is `code`, `data` (from outside) or `derived`."""

    stage: str
    path: str
    kind: Kind
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """From one run to another. `packages` is None where a side recorded none.

    `commands` are by stage, and `command line` for the whole; `hardware` has platform, processors
    and GPUs.
    """

    params: tuple[Change, ...]
    metrics: tuple[MetricChange, ...]
    data: tuple[DataChange, ...]
    packages: tuple[Change, ...] | None
    hardware: tuple[Change, ...]
    seeds: tuple[Change, ...]
    commands: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing that the records say differs; the command line does not count."""
        found = (self.params, self.metrics, self.data, self.packages, self.hardware, self.seeds)
        return not any(found) and all(it.name == COMMAND_LINE for it in self.commands)


COMMAND_LINE = "command line"


def difference(a: Side, b: Side) -> Difference:
    """What is other in `b` than in `a`."""
    packages = None
    if a.packages is not None and b.packages is not None:
        packages = changes(a.packages, b.packages)
    return Difference(
        params=changes(a.params, b.params),
        metrics=metric_changes(a.metrics, b.metrics),
        data=data_changes(a, b),
        packages=packages,
        hardware=changes(hardware(a), hardware(b)),
        seeds=changes(a.head.seeds, b.head.seeds),
        commands=changes(_commands(a), _commands(b)),
    )


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """The names whose values differ, sorted."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            found.append(Change(name, "added", None, new[name]))
        elif name not in new:
            found.append(Change(name, "removed", old[name], None))
        elif old[name] != new[name] and not _both_nan(old[name], new[name]):
            found.append(Change(name, "changed", old[name], new[name]))
    return tuple(found)


def metric_changes(old: Mapping[str, float], new: Mapping[str, float]) -> tuple[MetricChange, ...]:
    """The metrics that differ, with how much, by name."""
    found = []
    for change in changes(old, new):
        before, after = change.old, change.new
        by = None if before is None or after is None else after - before
        share = by / abs(before) if by is not None and before and math.isfinite(before) else None
        found.append(MetricChange(change.name, before, after, by, share))
    return tuple(found)


def data_changes(a: Side, b: Side) -> tuple[DataChange, ...]:
    """The deps whose digests differ, of stages that both runs have, in the order of `b`."""
    before = {stage.address: stage for stage in a.stages}
    outs, tracked = outs_of((*a.stages, *b.stages)), a.tracked | b.tracked
    found = []
    for stage in b.stages:
        if stage.address not in before:
            continue
        old, new = _deps(before[stage.address]), _deps(stage)
        for change in changes(old, new):
            kind = kind_of(change.name, outs, tracked)
            found.append(DataChange(stage.address, change.name, kind, change.old, change.new))
    return tuple(found)


def hardware(side: Side) -> dict[str, Any]:
    """The kind of machine, and the GPUs that stages used."""
    gpus: set[str] = set()
    for stage in side.stages:
        for place in (stage.host, stage.usage):
            gpus.update(str(gpu["name"]) for gpu in place.get("gpus", ()) if "name" in gpu)
    host = side.head.host
    found: dict[str, Any] = {"platform": host.platform, "cpus": host.cpus}
    return {**found, "gpus": ", ".join(sorted(gpus))} if gpus else found


def _commands(side: Side) -> dict[str, Any]:
    by_stage = {stage.address: command_of(stage) for stage in side.stages if stage.cmd}
    return {**by_stage, COMMAND_LINE: " ".join(side.head.argv)}


def command_of(stage: StageRecord) -> str:
    """The command of a stage on one line."""
    return stage.cmd if isinstance(stage.cmd, str) else "; ".join(stage.cmd or ())


def _deps(stage: StageRecord) -> dict[str, str | None]:
    return {dep.path: dep.digest for dep in stage.deps}


def _both_nan(old: Any, new: Any) -> bool:
    return isinstance(old, float) and isinstance(new, float) and old != old and new != new
