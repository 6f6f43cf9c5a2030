"""Whether a run came out again as its record says, and what made it differ. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from mlctl.executors import LOCAL
from mlctl.experiments.again.difference import Change, changes, command_of, hardware
from mlctl.experiments.again.kinds import is_inside, kind_of, outs_of
from mlctl.experiments.again.side import Side
from mlctl.experiments.describe import seeds_in
from mlctl.experiments.naming import flat
from mlctl.records.run_stages import StageRecord

Verdict = Literal["identical", "within tolerance", "different", "failed"]
LOGGED = "logged metrics"


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
class Cause:
    """What made stages differ. `kind` is `seed`, `params`, `code`, `command`, `data`, `package`,
    `python`, `hardware`, or `not deterministic` where nothing differs that is known.
    """

    kind: str
    text: str
    stages: tuple[str, ...]


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
    causes = _Causes(record, rerun, altered, code).of(pairs, verdicts)
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
    """The metrics that were logged and stand in no file, for the run as a whole."""
    new = {name: s.last for name, s in rerun.head.series.items()}
    old = {name: s.last for name, s in record.head.series.items() if name in new}
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


@dataclass(frozen=True, slots=True)
class _Causes:
    """What the rerun had otherwise than the record, for each stage that differs."""

    record: Side
    rerun: Side
    altered: Mapping[str, str]
    code: Mapping[str, int | None]

    def of(
        self,
        pairs: Sequence[tuple[StageRecord, StageRecord]],
        verdicts: Iterable[StageVerdict],
    ) -> tuple[Cause, ...]:
        wrong = {it.address for it in verdicts if it.verdict in ("different", "failed")}
        if not wrong:
            return ()
        own = {old.address: self._own(old, new) for old, new in pairs}
        everywhere = self._everywhere(pairs)
        found: dict[tuple[str, str], list[str]] = {}
        for address in sorted(wrong, key=[*own, LOGGED].index):
            causes = own[address] if address in own else [c for its in own.values() for c in its]
            if not causes and address in own:
                if self._follows(address, pairs, wrong):
                    continue
                causes = self._derived(address, pairs)
            for cause in (*causes, *everywhere) or (self._chance(),):
                found.setdefault(cause, []).append(address)
        return tuple(Cause(kind, text, tuple(who)) for (kind, text), who in found.items())

    def _own(self, old: StageRecord, new: StageRecord) -> list[tuple[str, str]]:
        """What one stage itself read or did otherwise."""
        found = [_of_param(change) for change in changes(_params(old), _params(new))]
        if old.cmd != new.cmd:
            found.append(
                ("command", f"the command was `{command_of(old)}`, and is `{command_of(new)}`")
            )
        found += self._place(old, new)
        outs = outs_of(self.rerun.stages)
        tracked = self.record.tracked | self.rerun.tracked
        before = {dep.path: dep.digest for dep in old.deps}
        for dep in new.deps:
            kind = kind_of(dep.path, outs, tracked)
            if dep.path in self.altered:
                text = f"{dep.path}: the cache holds other bytes than were recorded"
                md5 = self.altered[dep.path]
                found.append(("data", f"{text} ({before.get(dep.path)}, now md5:{md5})"))
            elif kind == "derived" or before.get(dep.path) == dep.digest:
                continue
            elif kind == "code":
                found += self._code_in(dep.path) or [("code", dep.path)]
            else:
                found.append(("data", f"{dep.path} ({before.get(dep.path)} → {dep.digest})"))
        return found

    def _place(self, old: StageRecord, new: StageRecord) -> list[tuple[str, str]]:
        """How the machine of a stage differs, where it is not this one in both runs."""
        if old.executor == new.executor == LOCAL:
            return []
        before, now = _machine(self.record, old), _machine(self.rerun, new)
        return [
            ("python" if change.name == "python" else "hardware", _arrow(change))
            for change in changes(before, now)
        ]

    def _derived(
        self, address: str, pairs: Iterable[tuple[StageRecord, StageRecord]]
    ) -> list[tuple[str, str]]:
        """What differs of a folder in which stages write, and is not their work."""
        old, new = next((old, new) for old, new in pairs if new.address == address)
        before = {dep.path: dep.digest for dep in old.deps}
        return [
            ("data", f"{dep.path} ({before[dep.path]} → {dep.digest})")
            for dep in new.deps
            if before.get(dep.path, dep.digest) != dep.digest
        ]

    def _code_in(self, path: str) -> list[tuple[str, str]]:
        return [_of_code(f, line) for f, line in self.code.items() if is_inside(f, path)]

    def _everywhere(
        self, pairs: Iterable[tuple[StageRecord, StageRecord]]
    ) -> list[tuple[str, str]]:
        """What holds for all stages: packages, hash seeds, code that no stage declares, machine."""
        found = []
        if self.record.packages is not None and self.rerun.packages is not None:
            found += [_of_package(c) for c in changes(self.record.packages, self.rerun.packages)]
        params = {c.name for c in changes(self.record.params, self.rerun.params)}
        for change in changes(self.record.head.seeds, self.rerun.head.seeds):
            if change.name not in params and change.name not in self.record.params:
                found.append(("seed", _arrow(change)))
        declared = {dep.path for _, new in pairs for dep in new.deps}
        for file, line in self.code.items():
            if not any(is_inside(file, dep) for dep in declared):
                kind, text = _of_code(file, line)
                found.append((kind, f"{text}, which no stage declares"))
        machines = changes(hardware(self.record), hardware(self.rerun))
        return found + [("hardware", _arrow(change)) for change in machines]

    def _follows(
        self,
        address: str,
        pairs: Iterable[tuple[StageRecord, StageRecord]],
        wrong: set[str],
    ) -> bool:
        """Whether the stage read what another one that differs made."""
        made = {o.path for _, new in pairs if new.address in wrong - {address} for o in new.outs}
        reads = next(new for _, new in pairs if new.address == address).deps
        return any(
            is_inside(dep.path, out) or is_inside(out, dep.path) for dep in reads for out in made
        )

    def _chance(self) -> tuple[str, str]:
        text = "same code, data, parameters, packages and machine, and another result"
        seeds = self.record.head.seeds
        known = f"seeds: {', '.join(seeds)}" if seeds else "no seed is declared"
        return "not deterministic", f"{text} ({known})"


def _machine(side: Side, stage: StageRecord) -> dict[str, Any]:
    host = side.head.host
    here = {"platform": host.platform, "python": host.python, "cpus": host.cpus}
    there = {name: stage.host[name] for name in (*here, "driver") if name in stage.host}
    return {"executor": stage.executor, **here, **there}


def _params(stage: StageRecord) -> dict[str, Any]:
    read = {n: v for values in stage.params.values() for n, v in flat(values).items()}
    return {**stage.logged, **read}


def _of_param(change: Change) -> tuple[str, str]:
    return ("seed" if seeds_in({change.name: 0}) else "params"), _arrow(change)


def _of_package(change: Change) -> tuple[str, str]:
    return ("python" if change.name == "python" else "package"), _arrow(change)


def _of_code(file: str, line: int | None) -> tuple[str, str]:
    return "code", file if line is None else f"{file}, line {line}"


def _arrow(change: Change) -> str:
    old = "none" if change.what == "added" else change.old
    new = "none" if change.what == "removed" else change.new
    return f"{change.name} {old} → {new}"
