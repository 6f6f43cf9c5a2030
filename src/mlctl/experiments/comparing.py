"""What several runs have in common and what tells them apart, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlctl.errors import InvalidInput
from mlctl.experiments.curves import Curve, load_curves
from mlctl.experiments.query import (
    all_metrics,
    all_params,
    find_run,
    load_stages,
    run_facts,
    search_runs,
)
from mlctl.experiments.search import Search
from mlctl.experiments.table import metric_names, param_names
from mlctl.records.run import RunHead
from mlctl.records.run_events import NO_FACTS, Facts


@dataclass(frozen=True, slots=True)
class Comparison:
    """The runs in their order; every column and every curve has an entry for each, or None.

    `metrics` and `params` are those that differ, the most telling first; `same` are the parameters
    and then the metrics that are equal in all runs.
    """

    heads: tuple[RunHead, ...]
    tags: tuple[tuple[str, ...], ...]
    metrics: Mapping[str, tuple[float | None, ...]]
    params: Mapping[str, tuple[Any, ...]]
    same: Mapping[str, Any]
    curves: Mapping[str, tuple[Curve | None, ...]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs, and of each that has any what was said of it later: its name, its tags."""

    heads: Sequence[RunHead]
    facts: Mapping[str, Facts]

    def name(self, head: RunHead) -> str | None:
        """What the run is called now."""
        return self.facts.get(head.id, NO_FACTS).name or head.name

    def tags(self, head: RunHead) -> tuple[str, ...]:
        """The tags of the run."""
        return self.facts.get(head.id, NO_FACTS).tags


def choose(root: str, names: Sequence[str], asked: Search) -> Chosen:
    """The runs that `names` mean, each once; without any, those that are asked for.

    Raises InvalidInput where there is none, and for a filter that means nothing.
    """
    if names:
        found = {head.id: head for head in (find_run(root, name) for name in names)}
        return Chosen(list(found.values()), {run_id: run_facts(root, run_id) for run_id in found})
    listing = search_runs(root, asked)
    if not listing.heads and asked.where:
        find_run(root, "last")  # says so where there is no run at all
        raise InvalidInput(f"no run fulfils {asked.where}")
    return Chosen(listing.heads or [find_run(root, "last")], listing.facts)


def compare(root: str, chosen: Chosen) -> Comparison:
    """Read what there is of the runs. Raises ConfigError for a record that is damaged."""
    whole = [replace(_whole(root, head), name=chosen.name(head)) for head in chosen.heads]
    metrics, params = _columns(whole, "metrics"), _columns(whole, "params")
    telling = [name for name in metric_names(whole) if len(whole) == 1 or _differ(metrics[name])]
    differing = list(params) if len(whole) == 1 else param_names(whole)
    return Comparison(
        heads=tuple(whole),
        tags=tuple(map(chosen.tags, whole)),
        metrics={name: metrics[name] for name in telling},
        params={name: params[name] for name in differing},
        same={
            name: values[0]
            for columns, chosen in ((params, set(differing)), (metrics, set(telling)))
            for name, values in columns.items()
            if name not in chosen
        },
        curves=curves_by_metric([load_curves(root, head.id) for head in whole], telling),
    )


def curves_by_metric(
    curves: Sequence[Mapping[str, Curve]], first: Sequence[str] = ()
) -> dict[str, tuple[Curve | None, ...]]:
    """The curves of each run as those of each metric; those of the names in `first` come first."""
    names = {name for of_run in curves for name in of_run}
    order = [*(name for name in first if name in names), *sorted(names - set(first))]
    return {name: tuple(of_run.get(name) for of_run in curves) for name in order}


def _columns(heads: Sequence[RunHead], field: str) -> dict[str, tuple[Any, ...]]:
    rows: list[Mapping[str, Any]] = [getattr(head, field) for head in heads]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: tuple(row.get(name) for row in rows) for name in names}


def _differ(values: Sequence[Any]) -> bool:
    return len(set(map(repr, values))) > 1  # in which NaN is equal to itself


def _whole(root: str, head: RunHead) -> RunHead:
    """The head with the parameters and metrics that gave way in it."""
    if not (head.truncated.get("params") or head.truncated.get("metrics")):
        return head
    stages = load_stages(root, head.id)
    return replace(
        head, params=all_params(head, stages, root), metrics=all_metrics(head, stages), truncated={}
    )
