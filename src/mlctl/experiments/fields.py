"""The value that a run has of a field, as `--columns`, `--group` and `--pareto` name it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.errors import InvalidInput
from mlctl.experiments.where.fields import FIXED, UnknownField, find_field
from mlctl.records.run import RunHead
from mlctl.records.run_events import NO_FACTS, Facts


def check_fields(names: Iterable[str], known: Iterable[str], option: str) -> None:
    """Raise InvalidInput, naming the option, for a field that is not among the `known` values."""
    values = set(known)
    for name in names:
        try:
            find_field(name, values)
        except UnknownField as error:
            raise InvalidInput(f"{option}: {error.message}", hint=error.hint) from None


def value_of(head: RunHead, facts: Facts, name: str) -> Any:
    """The value of a field that is known, None where this run has none."""
    kind, _, rest = name.partition(".")
    if kind == "params":
        return head.params.get(rest)
    if kind == "metrics":
        return _metric(head, rest)
    return _fixed(head, facts)[name] if name in FIXED else None


@dataclass(frozen=True, slots=True)
class Goal:
    """A field that should be great, or small."""

    name: str
    greatest: bool


def parse_goals(text: str) -> tuple[Goal, ...]:
    """`metrics.auc:max,metrics.size:min`. Raises InvalidInput for anything else."""
    goals = []
    for part in text.split(","):
        name, _, way = part.strip().rpartition(":")
        if not name or way not in ("max", "min"):
            raise InvalidInput(
                f"--pareto: {part.strip()!r} is no goal",
                hint="goals are FIELD:max or FIELD:min, such as metrics.auc:max,metrics.size:min",
            )
        goals.append(Goal(name, way == "max"))
    return tuple(goals)


def pareto(points: Sequence[Sequence[float]], goals: Sequence[Goal]) -> list[int]:
    """Those of the points, by their places, that no other is as good as in all goals and better
    than in one.
    """
    signs = [-1.0 if goal.greatest else 1.0 for goal in goals]
    costs = [tuple(s * v for s, v in zip(signs, point, strict=True)) for point in points]
    front: list[int] = []
    # The best of a first goal comes first, so nothing that follows can be better than it in all.
    for place in sorted(range(len(costs)), key=lambda it: costs[it]):
        cost = costs[place]
        if not any(
            costs[other] != cost and all(map(float.__le__, costs[other], cost)) for other in front
        ):
            front.append(place)
    return sorted(front)


def _metric(head: RunHead, name: str) -> float | None:
    if name in head.metrics:
        return head.metrics[name]
    if name in head.series:
        return head.series[name].last
    start, _, what = name.rpartition(".")
    if start in head.series and what in ("max", "min", "last"):
        return float(getattr(head.series[start], what))
    return head.metrics.get(start) if what in ("max", "min", "last") else None


def _fixed(head: RunHead, facts: Facts) -> Mapping[str, Any]:
    git = head.git
    return {
        "id": head.id,
        "status": head.status,
        "name": facts.name or head.name,
        "tags": ", ".join(facts.tags) or None,
        "notes": "; ".join(note.value or "" for note in facts.notes) or None,
        "archived": facts.archived,
        "kept": facts.kept,
        "ran": ", ".join(head.ran) or None,
        "stage": ", ".join(head.ran) or None,
        "failed": ", ".join(head.failed) or None,
        "started": head.started,
        "seconds": head.seconds,
        "git.branch": git.branch if git else None,
        "git.commit": git.commit if git else None,
        "git.dirty": git.dirty if git else None,
    }


def facts_for(facts: Mapping[str, Facts], run_id: str) -> Facts:
    """The facts of a run, of which there may be none."""
    return facts.get(run_id, NO_FACTS)
