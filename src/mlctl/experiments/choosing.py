"""Runs chosen or summed up by what they have: the best in several goals, groups of one value."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlctl.experiments.fields import Goal, facts_for, pareto, value_of
from mlctl.experiments.search import Listing
from mlctl.records.run import RunHead


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of a metric in a group; `number` of its runs have one."""

    mean: float
    min: float
    max: float
    number: int


@dataclass(frozen=True, slots=True)
class Group:
    """The runs that have one value of a field; None: that have none."""

    value: Any
    heads: Sequence[RunHead]
    metrics: dict[str, Spread]


def best(listing: Listing, goals: Sequence[Goal]) -> Listing:
    """The runs of a listing that no other one beats.

    A run that lacks one of the goals, or has no number there, is none of them.
    """
    names = [goal.name for goal in goals]
    rows = []
    for head in listing.heads:
        values = [value_of(head, facts_for(listing.facts, head.id), name) for name in names]
        if all(_is_number(value) for value in values):
            rows.append((head, [float(value) for value in values]))
    front = pareto([values for _, values in rows], goals)
    return replace(listing, heads=[rows[place][0] for place in front], total=len(front))


def groups(listing: Listing, name: str) -> list[Group]:
    """The runs of a listing by their value of a field, the largest group first."""
    by_value: dict[str, list[RunHead]] = {}
    values: dict[str, Any] = {}
    for head in listing.heads:
        value = value_of(head, facts_for(listing.facts, head.id), name)
        key = json.dumps(value, sort_keys=True, default=str)
        values[key] = value
        by_value.setdefault(key, []).append(head)
    found = [Group(values[key], heads, _spreads(heads)) for key, heads in by_value.items()]
    return sorted(found, key=lambda group: -len(group.heads))


def _spreads(heads: Sequence[RunHead]) -> dict[str, Spread]:
    values: dict[str, list[float]] = {}
    for head in heads:
        for name, value in head.metrics.items():
            if _is_number(value):
                values.setdefault(name, []).append(value)
    return {
        name: Spread(statistics.fmean(all_), min(all_), max(all_), len(all_))
        for name, all_ in values.items()
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
