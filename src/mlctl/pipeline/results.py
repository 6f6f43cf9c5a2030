"""What came of a run, as data: what the record is written from and the summary is printed from."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
    host: Mapping[str, Any] | None = None  # what there is to say of another machine
    busy: bool = False  # another process held what it needs
    usage: Mapping[str, Any] | None = None  # of this machine, over time


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
    def written_files(self) -> list[str]:
        """The keys of the locks, pointers and ignore files that this run may have changed."""
        done = [r.stage for r in self.stages if r.outcome in {"ran", "restored"}]
        outs = [out.key for stage in done for out in stage.outs if out.cache]
        ignore_files = {posixpath.join(posixpath.dirname(key), ".gitignore") for key in outs}
        return sorted({*(stage.record_file for stage in done), *ignore_files})

    @property
    def touched(self) -> bool:
        """Whether a stage ran or failed: then a record is due."""
        return any(s.outcome in {"ran", "failed", "cancelled"} and not s.busy for s in self.stages)

    @property
    def refused(self) -> bool:
        """Whether nothing failed but what another process held."""
        failed = [s for s in self.stages if s.outcome == "failed"]
        return bool(failed) and all(s.busy for s in failed)
