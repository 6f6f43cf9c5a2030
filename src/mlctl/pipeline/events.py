"""What a run tells while it goes on: one typed stream that the terminal and `--json` both read.

`to_dict` gives the documented JSON form (`mlctl.event/1`): the field `event` names the type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mlctl.pipeline.plan import Reason

Outcome = Literal["ran", "restored", "unchanged", "failed", "skipped", "cancelled"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan is made. `stages` are addresses in serial order; `time` is in seconds since 1970."""

    run_id: str
    stages: tuple[str, ...]
    jobs: int
    time: float


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage's command starts, on `executor`; `log` is the path of its log, from the root."""

    stage: str
    cmd: str
    executor: str
    reasons: tuple[Reason, ...]
    attempt: int
    log: str
    time: float
    expected: float | None = None


@dataclass(frozen=True, slots=True)
class StageOutput:
    """One whole line that a stage printed, without its newline."""

    stage: str
    line: str


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage is done with. `seconds` is its wall time, 0 for what did not run.

    `message` says why it failed or was skipped; `exit_code` is the command's (negative: a signal).
    """

    stage: str
    outcome: Outcome
    seconds: float
    time: float
    exit_code: int | None = None
    message: str | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the next ready stages wait for: `memory`, `a gpu`, `mutex db`, `a free slot`."""

    stages: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know and that is no failure."""

    message: str
    level: Literal["info", "warning"] = "warning"
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The end: how many stages had each outcome, and the id of the record if one was written."""

    outcomes: dict[str, int]
    seconds: float
    record: str | None = None


Event = RunStarted | StageStarted | StageOutput | StageFinished | Waiting | Notice | RunFinished
Emit = Callable[[Event], None]


def to_dict(event: Event) -> dict[str, Any]:
    """The event as JSON-ready data: `{"event": "stage_finished", "stage": …}`."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in type(event).__name__)
    return {"event": name.lstrip("_"), **asdict(event)}
