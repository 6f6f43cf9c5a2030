"""What several runs have in common and what tells them apart, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlctl.experiments.curves import Curve, load_curves
from mlctl.experiments.query import all_metrics, all_params, find_run, list_runs, load_stages
from mlctl.experiments.table import metric_names, param_names
from mlctl.records.run import RunHead


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


def choose(root: str, names: Sequence[str], *, limit: int) -> list[RunHead]:
    """The runs that `names` mean, each once; without any, the newest `limit`.

    Raises InvalidInput where there is none.
    """
    if names:
        return list({head.id: head for head in (find_run(root, name) for name in names)}.values())
    return list_runs(root, limit=limit) or [find_run(root, "last")]


def compare(
    root: str, heads: Sequence[RunHead], tags: Sequence[Sequence[str]] | None = None
) -> Comparison:
    """Read what there is of the runs. Raises ConfigError for a record that is damaged."""
    whole = [_whole(root, head) for head in heads]
    metrics, params = _columns(whole, "metrics"), _columns(whole, "params")
    telling = [name for name in metric_names(whole) if len(whole) == 1 or _differ(metrics[name])]
    differing = list(params) if len(whole) == 1 else param_names(whole)
    return Comparison(
        heads=tuple(whole),
        tags=tuple(map(tuple, tags)) if tags else ((),) * len(whole),
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
