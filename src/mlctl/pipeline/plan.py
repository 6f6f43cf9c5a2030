"""What would run, in which order and why: pure data, decided once and rendered elsewhere.

`status`, `plan`, `run --dry-run` and `run` all read these types.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from mlctl.pipeline.spec import Stage

ReasonKind = Literal[
    "cmd",  # the resolved command differs from the lock's (old, new)
    "dep",  # a dep is new, modified, deleted or (never run yet) missing (path, detail)
    "param",  # a parameter is new, modified or deleted (path, name, old, new)
    "out",  # an out is new, modified, deleted or not in cache (path, detail)
    "always",  # always_changed, or a command with neither deps nor outs
    "upstream",  # a stage before it would run (path = its address)
    "forced",  # --force
]
Detail = Literal["new", "modified", "deleted", "not in cache", "no lock entry", "missing"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a stage is taken for changed. `path` is as the stage wrote it."""

    kind: ReasonKind
    path: str | None = None
    detail: Detail | None = None
    name: str | None = None
    old: Any = None
    new: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a plan, in DVC's serial order.

    `reasons` is empty where the stage is unchanged. `needs` are the addresses of the steps in the
    same plan that must be done before. `expected` is how long it took before, in seconds.
    """

    stage: Stage
    reasons: tuple[Reason, ...] = ()
    needs: tuple[str, ...] = ()
    expected: float | None = None

    @property
    def changed(self) -> bool:
        return bool(self.reasons)


def propagate(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with what the changed ones draw along: a step after one that runs may run too."""
    changed: set[str] = set()
    result = []
    for step in steps:
        cause = next((need for need in step.needs if need in changed), None)
        if cause is not None and not step.changed:
            step = replace(step, reasons=(Reason("upstream", cause),))
        if step.changed:
            changed.add(step.stage.address)
        result.append(step)
    return tuple(result)
