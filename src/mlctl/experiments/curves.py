"""The curves of a run: each logged metric over its steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mlctl.experiments.query import read_part
from mlctl.records.run import run_folder
from mlctl.records.run_metrics import Key, StepLine, keys_of, parse_steps, series_names

METRICS = "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric in the order of its time: steps, seconds since the run began, values."""

    steps: tuple[float, ...]
    times: tuple[float, ...]
    values: tuple[float, ...]


def load_curves(root: str, run_id: str) -> dict[str, Curve]:
    """The curves of a run, sorted by name; empty where it logged nothing.

    Names are as `series_names` says. Raises ConfigError for a damaged file.
    """
    data = read_part(root, run_id, METRICS)
    if data is None:
        return {}
    name = f"{run_folder(run_id)}/{METRICS}"
    return curves_of(parse_steps(data.decode("utf-8", "replace"), name=name))


def curves_of(lines: Iterable[StepLine]) -> dict[str, Curve]:
    """The curves in `lines`, named and sorted as `load_curves` says."""
    points: dict[Key, list[tuple[float, float, float]]] = {}
    for it in lines:
        for key in keys_of(it):
            points.setdefault(key, []).append((it.step, it.t, it.metrics[key[2]]))
    return {
        name: Curve(*map(tuple, zip(*points[key], strict=True)))
        for key, name in series_names(points).items()
    }
