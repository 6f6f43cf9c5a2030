"""The metrics that a run logged: `metrics.jsonl`, a line for each step (docs/formats/run.md)."""

from __future__ import annotations

import json
import math
from collections import Counter
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


Key = tuple[str | None, int, str]  # one series: its stage, its rank, its metric


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
            found.append(parse_step(row))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"not a step of a run: {type(error).__name__}: {error}",
                file=name,
                line=place,
                hint=f"restore it from git: git checkout HEAD -- {name}",
            ) from None
    return tuple(found)


def keys_of(it: StepLine) -> list[Key]:
    """The series that a line has a point of."""
    return [(it.stage, it.rank, metric) for metric in it.metrics]


def series_names(keys: Iterable[Key]) -> dict[Key, str]:
    """The series that are shown, with the names they go by, sorted by name.

    The name is the metric's, `stage:metric` where several stages logged one of that name, and of
    the stages of a `foreach` or `matrix`, lest it depend on which of them happened to run. Of
    several ranks it is the lowest that logged the metric.
    """
    lowest: dict[tuple[str | None, str], int] = {}
    for stage, rank, metric in keys:
        lowest[stage, metric] = min(rank, lowest.get((stage, metric), rank))
    several = Counter(metric for _, metric in lowest)
    names: dict[Key, str] = {
        (stage, rank, metric): f"{stage}:{metric}"
        if several[metric] > 1 or (stage is not None and "@" in stage)
        else metric
        for (stage, metric), rank in lowest.items()
    }
    return dict(sorted(names.items(), key=lambda item: item[1]))


class Summary:
    """Sums up a series point by point."""

    def __init__(self, step: float, value: float) -> None:
        self.last, self.count = value, 1
        self._least = self._most = (step, value)

    def add(self, step: float, value: float) -> None:
        self.last = value
        self.count += 1
        if value < self._least[1] or math.isnan(self._least[1]):
            self._least = (step, value)
        if value > self._most[1] or math.isnan(self._most[1]):
            self._most = (step, value)

    def series(self) -> Series:
        least, most = self._least, self._most
        return Series(self.last, least[1], most[1], least[0], most[0], self.count)


def summaries(lines: Iterable[StepLine]) -> dict[Key, Summary]:
    """Each series of `lines`, which are read once."""
    found: dict[Key, Summary] = {}
    for it in lines:
        for key in keys_of(it):
            value = it.metrics[key[2]]
            if key in found:
                found[key].add(it.step, value)
            else:
                found[key] = Summary(it.step, value)
    return found


def series_of(found: Mapping[Key, Summary]) -> dict[str, Series]:
    """The series of a head, by the names they go by."""
    return {name: found[key].series() for key, name in series_names(found).items()}


def parse_step(row: str) -> StepLine:
    """One line. Raises what Python does for a damaged one: `parse_steps` says which."""
    data = json.loads(row)
    return StepLine(
        metrics={name: number(value) for name, value in data["metrics"].items()},
        step=number(data["step"]),
        t=number(data["t"]),
        stage=data.get("stage"),
        rank=data.get("rank", 0),
    )
