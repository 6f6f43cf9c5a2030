"""A run with all that is exported of it, and its rows in tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.experiments.query import (
    all_metrics,
    all_params,
    load_stages,
    read_part,
    run_facts,
)
from mlctl.records.canonical import line
from mlctl.records.run import RunHead, run_folder
from mlctl.records.run_events import Facts
from mlctl.records.run_metrics import StepLine, parse_steps

STEPS = ("run", "stage", "rank", "step", "t", "metric", "value")  # the columns of logged values

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """One run: all parameters and metrics by dotted name, and the logged lines, thinned or not."""

    head: RunHead
    facts: Facts
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    steps: tuple[StepLine, ...]
    notes: str

    @property
    def name(self) -> str | None:
        return self.facts.name or self.head.name


def load_exported(root: str, head: RunHead) -> ExportedRun:
    """The run of a head. Raises ConfigError for a damaged record."""
    stages = load_stages(root, head.id)
    data, notes = read_part(root, head.id, "metrics.jsonl"), read_part(root, head.id, "notes.md")
    name = f"{run_folder(head.id)}/metrics.jsonl"
    return ExportedRun(
        head,
        run_facts(root, head.id),
        all_params(head, stages, root),
        all_metrics(head, stages),
        parse_steps(data.decode("utf-8", "replace"), name=name) if data else (),
        notes.decode("utf-8", "replace") if notes else "",
    )


def run_row(run: ExportedRun) -> Row:
    """One line of the table of runs: facts, then `params.…` and `metrics.…`."""
    head, git = run.head, run.head.git
    return {
        "run": head.id,
        "name": run.name,
        "status": head.status,
        "started": head.started,
        "ended": head.ended,
        "seconds": float(head.seconds),
        "commit": git.commit if git else None,
        "branch": git.branch if git else None,
        "dirty": git.dirty if git else None,
        "source": (head.origin or {}).get("source"),
        "tags": " ".join(run.facts.tags) or None,
        **{f"params.{name}": value for name, value in sorted(run.params.items())},
        **{f"metrics.{name}": float(value) for name, value in sorted(run.metrics.items())},
    }


def step_rows(run: ExportedRun) -> Iterator[tuple[Any, ...]]:
    """The logged values of a run, under `STEPS`."""
    for it in run.steps:
        for metric, value in it.metrics.items():
            yield run.head.id, it.stage, it.rank, float(it.step), float(it.t), metric, float(value)


def columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The table of runs by column: facts, parameters, metrics. What a run has not is None.

    A column of parameters whose values are of several kinds, or no plain values, is text.
    """
    known = dict.fromkeys(name for row in rows for name in row)
    order = {"params": 1, "metrics": 2}
    names = sorted(known, key=lambda name: order.get(name.split(".")[0], 0) if "." in name else 0)
    return {name: _alike([row.get(name) for row in rows]) for name in names}


def _alike(values: list[Any]) -> list[Any]:
    kinds = {list if _is_huge(value) else type(value) for value in values if value is not None}
    if len(kinds) <= 1 and kinds <= {str, int, float, bool}:
        return values
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values]
    return [None if value is None else text_of(value) for value in values]


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63  # what tables' integers hold


def text_of(value: Any) -> str:
    """A value as one text: JSON but for what is a text already."""
    return value if isinstance(value, str) else line(value).rstrip("\n")
