"""Whether a run came out again as its record says. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from mlctl.experiments.again.causes import LOGGED, Cause, Causes
from mlctl.experiments.again.side import Side
from mlctl.records.run_stages import StageRecord

Verdict = Literal["identical", "within tolerance", "different", "failed"]


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """One metric: recorded, as it came out now, and the difference that is tolerated."""

    name: str
    recorded: float | None
    now: float | None
    tolerance: float
    same: bool


@dataclass(frozen=True, slots=True)
class StageVerdict:
    """One stage; `outs` are those whose bytes differ."""

    address: str
    verdict: Verdict
    outs: tuple[str, ...] = ()
    metrics: tuple[MetricVerdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer, by stage, and the causes where it is no."""

    stages: tuple[StageVerdict, ...]
    causes: tuple[Cause, ...]

    @property
    def holds(self) -> bool:
        """Whether all came out as the record says."""
        return all(it.verdict in ("identical", "within tolerance") for it in self.stages)


def verify(
    record: Side,
    rerun: Side,
    tolerances: Mapping[str, float],
    *,
    altered: Mapping[str, str],
    code: Mapping[str, int | None],
) -> Verification:
    """Compare a rerun with its record.

    `tolerances` are absolute, by name or pattern of a metric. `altered` are data files whose bytes
    are not the recorded ones, `code` the files that differ, from the DVC root, with the first line.
    """
    before = {stage.address: stage for stage in record.stages}
    pairs = [(before[s.address], s) for s in rerun.stages if s.address in before]
    verdicts = [_stage(old, new, tolerances) for old, new in pairs]
    logged = _logged(record, rerun, pairs, tolerances)
    if logged is not None:
        verdicts.append(logged)
    wrong = {it.address for it in verdicts if it.verdict in ("different", "failed")}
    causes = Causes(record, rerun, altered, code).of(pairs, wrong)
    return Verification(tuple(verdicts), causes)


def tolerance_of(name: str, tolerances: Mapping[str, float]) -> float:
    """The tolerance of a metric: by its name, the end of its name, or a pattern; else 0."""
    bare = name.rpartition(":")[2]
    for key, value in tolerances.items():
        if bare == key or bare.endswith(f".{key}") or fnmatchcase(bare, key):
            return value
    return 0.0


def _stage(old: StageRecord, new: StageRecord, tolerances: Mapping[str, float]) -> StageVerdict:
    if new.outcome != "ran":
        return StageVerdict(old.address, "failed" if old.outcome != "failed" else "identical")
    digests = {out.path: out.digest for out in old.outs}
    outs = tuple(
        out.path for out in new.outs if digests.get(out.path) and digests[out.path] != out.digest
    )
    metrics = _metrics(_flat_metrics(old), _flat_metrics(new), tolerances)
    if not all(it.same for it in metrics):
        return StageVerdict(old.address, "different", outs, metrics)
    if not outs:
        return StageVerdict(old.address, "identical", outs, metrics)
    return StageVerdict(old.address, "within tolerance" if metrics else "different", outs, metrics)


def _flat_metrics(stage: StageRecord) -> dict[str, float]:
    several = len(stage.metrics) > 1
    return {
        f"{file}:{name}" if several else name: value
        for file, values in stage.metrics.items()
        for name, value in values.items()
    }


def _logged(
    record: Side,
    rerun: Side,
    pairs: Iterable[tuple[StageRecord, StageRecord]],
    tolerances: Mapping[str, float],
) -> StageVerdict | None:
    """The metrics that were logged and stand in no file, for the run as a whole.

    Those that both have: a stage that came from the cache in the run has logged nothing there.
    """
    both = record.head.series.keys() & rerun.head.series.keys()
    new = {name: rerun.head.series[name].last for name in both}
    old = {name: record.head.series[name].last for name in both}
    in_files = {name for _, stage in pairs for name in _flat_metrics(stage)}
    metrics = tuple(it for it in _metrics(old, new, tolerances) if it.name not in in_files)
    if not metrics:
        return None
    same = all(it.same for it in metrics)
    exact = all(_equal(it.recorded, it.now, 0.0) for it in metrics)
    verdict: Verdict = "identical" if exact else "within tolerance" if same else "different"
    return StageVerdict(LOGGED, verdict, (), metrics)


def _metrics(
    old: Mapping[str, float], new: Mapping[str, float], tolerances: Mapping[str, float]
) -> tuple[MetricVerdict, ...]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        limit = tolerance_of(name, tolerances)
        a, b = old.get(name), new.get(name)
        found.append(MetricVerdict(name, a, b, limit, _equal(a, b, limit)))
    return tuple(found)


def _equal(a: float | None, b: float | None, limit: float) -> bool:
    if a is None or b is None:
        return a is b
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= limit
