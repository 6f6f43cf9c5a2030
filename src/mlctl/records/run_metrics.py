"""The metrics that a run logged: `metrics.jsonl`, a line for each step (docs/formats/run.md)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.errors import ConfigError
from mlctl.records.canonical import line, number


@dataclass(frozen=True, slots=True)
class StepLine:
    """What one process logged at one step. `t` is in seconds since the run began.

    `stage` is an address, None outside of a pipeline; `rank` is the process's own among several.
    """

    metrics: Mapping[str, float]
    step: float
    t: float
    stage: str | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One logged metric in short. NaN counts for `min` and `max` only where nothing else is."""

    last: float
    min: float
    max: float
    min_step: float
    max_step: float
    n: int


def steps_text(lines: Iterable[StepLine]) -> str:
    """JSON Lines, in the given order; a stage and a rank that say nothing are left out."""
    return "".join(step_text(it) for it in lines)


def step_text(it: StepLine) -> str:
    """One line, with its newline."""
    data: dict[str, Any] = {"metrics": it.metrics, "step": it.step, "t": it.t}
    if it.stage is not None:
        data["stage"] = it.stage
    if it.rank:
        data["rank"] = it.rank
    return line(data)


def parse_steps(text: str, *, name: str) -> tuple[StepLine, ...]:
    """The lines in `text`; `name` is its file, for messages. Raises ConfigError that names the
    file and the line.
    """
    found = []
    for place, row in enumerate(text.split("\n"), start=1):
        if not row:
            continue
        try:
            found.append(_step(json.loads(row)))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"not a step of a run: {type(error).__name__}: {error}",
                file=name,
                line=place,
                hint=f"restore it from git: git checkout HEAD -- {name}",
            ) from None
    return tuple(found)


def summed_up(steps: Iterable[float], values: Iterable[float]) -> Series:
    """A series in short; there is at least one value."""
    pairs = list(zip(steps, values, strict=True))
    told = [pair for pair in pairs if not math.isnan(pair[1])] or pairs
    least = min(told, key=lambda pair: pair[1])
    most = max(told, key=lambda pair: pair[1])
    return Series(pairs[-1][1], least[1], most[1], least[0], most[0], len(pairs))


def _step(data: dict[str, Any]) -> StepLine:
    return StepLine(
        metrics={name: number(value) for name, value in data["metrics"].items()},
        step=number(data["step"]),
        t=number(data["t"]),
        stage=data.get("stage"),
        rank=data.get("rank", 0),
    )
