"""The table of groups of runs: how many, and the spread of the most telling metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlctl.cli._output import styled
from mlctl.cli._text import clip, count, value_text
from mlctl.cli.exp._table import GAP, Column, column_rows
from mlctl.experiments.choosing import Group
from mlctl.experiments.table import metric_names, number_format, short_names

_WIDEST_VALUE = 24


def group_lines(groups: Sequence[Group], name: str, width: int) -> list[str]:
    """A line for each group, in as many metrics as the terminal has room for."""
    metrics = metric_names([head for group in groups for head in group.heads])
    short = short_names(metrics)
    values = [_text(group.value) for group in groups]
    columns = [
        Column(clip(name, _WIDEST_VALUE), values, ["1"] * len(groups)),
        Column("runs", [str(len(g.heads)) for g in groups], [""] * len(groups), right=True),
    ]
    room = width - sum(column.width + len(GAP) for column in columns)
    for metric in metrics:
        made = _metric(groups, metric, short[metric])
        needed = sum(column.width + len(GAP) for column in made)
        if needed > room:
            break
        columns += made
        room -= needed
    runs = sum(len(group.heads) for group in groups)
    footer = f"{count(runs, 'run')} in {count(len(groups), 'group')} by {name}"
    return [*column_rows(columns, len(groups)), "", styled(footer, "2")]


def group_json(group: Group) -> dict[str, Any]:
    """A group, for `--json`."""
    spreads = {
        name: {"mean": it.mean, "min": it.min, "max": it.max, "runs": it.number}
        for name, it in sorted(group.metrics.items())
    }
    return {"value": group.value, "runs": [h.id for h in group.heads], "metrics": spreads}


def _metric(groups: Sequence[Group], metric: str, short: str) -> list[Column]:
    found = [group.metrics.get(metric) for group in groups]
    text = number_format([value for it in found if it for value in (it.mean, it.min, it.max)])
    means = [text(float(it.mean)) if it else "" for it in found]
    spans = [f"{text(it.min)} … {text(it.max)}" if it else "" for it in found]
    plain = [""] * len(groups)
    head = clip(short, _WIDEST_VALUE)
    return [
        Column(head, means, ["36"] * len(groups), right=True),
        Column("least … greatest", spans, plain, right=True),
    ]


def _text(value: Any) -> str:
    return "(none)" if value is None else value_text(value, _WIDEST_VALUE)
