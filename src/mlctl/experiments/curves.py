"""The curves of a run: each logged metric over its steps."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from mlctl.adapters.files import read_text
from mlctl.records.run import run_folder
from mlctl.records.run_metrics import StepLine, parse_steps

METRICS = "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric in the order of its time: steps, seconds since the run began, values."""

    steps: tuple[float, ...]
    times: tuple[float, ...]
    values: tuple[float, ...]


def load_curves(root: str, run_id: str) -> dict[str, Curve]:
    """The curves of a run, sorted by name; empty where it logged nothing.

    The name is the metric's, `stage:metric` where several stages logged one of that name. Of
    several ranks it is the first that logged the metric. Raises ConfigError for a damaged file.
    """
    name = f"{run_folder(run_id)}/{METRICS}"
    try:
        text = read_text(os.path.join(root, name), name=name)
    except FileNotFoundError:
        return {}
    return curves_of(parse_steps(text, name=name))


def curves_of(lines: Iterable[StepLine]) -> dict[str, Curve]:
    """The curves in `lines`, named and sorted as `load_curves` says."""
    names = named_series(points_of(lines))
    return {name: Curve(*map(tuple, zip(*names[name], strict=True))) for name in sorted(names)}


Key = tuple[str | None, int, str]  # the stage, the rank, the metric
Point = tuple[float, float, float]  # the step, the seconds, the value


def points_of(lines: Iterable[StepLine]) -> dict[Key, list[Point]]:
    """The points of each metric of each process."""
    series: dict[Key, list[Point]] = {}
    for it in lines:
        for metric, value in it.metrics.items():
            key = (it.stage, it.rank, metric)
            series.setdefault(key, []).append((it.step, it.t, value))
    return series


def named_series(series: dict[Key, list[Point]]) -> dict[str, list[Point]]:
    """The series of the lowest rank of each stage, by the names that `load_curves` says."""
    lowest: dict[tuple[str | None, str], int] = {}
    for stage, rank, metric in series:
        lowest[stage, metric] = min(rank, lowest.get((stage, metric), rank))
    several: dict[str, int] = {}
    for _, metric in lowest:
        several[metric] = several.get(metric, 0) + 1
    return {
        metric if several[metric] == 1 else f"{stage}:{metric}": series[stage, rank, metric]
        for (stage, metric), rank in lowest.items()
    }
