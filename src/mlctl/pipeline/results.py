"""What came of a run, as data: what the record is written from and the summary is printed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlctl.pipeline.events import Outcome
from mlctl.pipeline.plan import Reason
from mlctl.pipeline.spec import LockedStage, Stage

RunStatus = Literal["finished", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage's end. `locked` is what was observed of it, None where it did not get that far.

    Times are seconds since 1970; `seconds` is wall time; `log` is a path from the root.
    """

    stage: Stage
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    started: float | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    attempts: int = 1
    executor: str = "local"
    locked: LockedStage | None = None
    log: str | None = None
    message: str | None = None
    peak_memory: int | None = None  # bytes
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """One invocation of `mlctl run`, with its stages in serial order."""

    run_id: str
    argv: tuple[str, ...]
    started: float
    seconds: float
    jobs: int
    status: RunStatus
    stages: tuple[StageResult, ...]
    signal: int | None = None  # what interrupted it

    @property
    def touched(self) -> bool:
        """Whether a stage ran or failed: then a record is due."""
        return any(s.outcome in {"ran", "failed", "cancelled"} for s in self.stages)
