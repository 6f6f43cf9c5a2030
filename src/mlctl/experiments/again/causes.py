"""What made a rerun differ from its record: all that it had otherwise, stage by stage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.executors import LOCAL
from mlctl.experiments.again.difference import Change, changes, command_of, hardware
from mlctl.experiments.again.kinds import is_inside, kind_of, outs_of
from mlctl.experiments.again.side import Side
from mlctl.experiments.describe import seeds_in
from mlctl.experiments.naming import flat
from mlctl.records.run_stages import StageRecord

LOGGED = "logged metrics"  # of the run as a whole, in the place of a stage


@dataclass(frozen=True, slots=True)
class Cause:
    """What made stages differ. `kind` is `seed`, `params`, `code`, `command`, `data`, `package`,
    `python`, `hardware`, or `not deterministic` where nothing differs that is known.
    """

    kind: str
    text: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Causes:
    """What the rerun had otherwise than the record, for each stage that differs."""

    record: Side
    rerun: Side
    altered: Mapping[str, str]
    code: Mapping[str, int | None]

    def of(
        self, pairs: Sequence[tuple[StageRecord, StageRecord]], wrong: set[str]
    ) -> tuple[Cause, ...]:
        """The causes, each with the stages among `wrong` (or `LOGGED`) that it made differ.

        `pairs` are the stages as recorded and as they ran again.
        """
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
