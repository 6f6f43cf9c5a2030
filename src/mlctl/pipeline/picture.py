"""What is drawn of a graph of stages: boxes and arrows, with whole groups in one box if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlctl.pipeline.spec import Stage

Edges = Sequence[tuple[str, str]]
States = Mapping[str, str]

_WORST = ("failed", "cancelled", "skipped", "running", "changed", "ran", "restored", "unchanged")


@dataclass(frozen=True, slots=True)
class Node:
    """One box: a stage, a `.dvc` file (`is_data`), or a whole `foreach` group of `size` stages."""

    label: str
    state: str | None
    is_data: bool
    group: str | None
    size: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes in serial order, and the arrows between them as pairs of indexes."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]


def drawing(
    stages: Sequence[Stage], edges: Edges, *, state: States | None = None, collapse: bool = False
) -> Drawing:
    """What is drawn; with `collapse`, one box for all stages of a `foreach` or `matrix`.

    A collapsed group has the worst state of its stages.
    """
    boxes: dict[tuple[str, str], list[Stage]] = {}
    place: dict[str, tuple[str, str]] = {}
    for stage in stages:
        key = (stage.file, stage.group) if collapse and stage.group else ("", stage.address)
        boxes.setdefault(key, []).append(stage)
        place[stage.address] = key
    index = {key: number for number, key in enumerate(boxes)}
    pairs = dict.fromkeys(
        (index[place[a]], index[place[b]]) for a, b in edges if a in place and b in place
    )
    nodes = tuple(_node(members, state or {}, collapse=collapse) for members in boxes.values())
    return Drawing(nodes, tuple(pair for pair in pairs if pair[0] != pair[1]))


def _node(members: list[Stage], state: States, *, collapse: bool) -> Node:
    first = members[0]
    states = [state[stage.address] for stage in members if stage.address in state]
    worst = min(states, key=lambda s: _WORST.index(s) if s in _WORST else len(_WORST), default=None)
    label = first.address
    if collapse and first.group:
        place = "" if first.file == "dvc.yaml" else f"{first.file}:"
        label = f"{place}{first.group} ×{len(members)}"
    group = None if collapse else first.group
    return Node(label, worst, first.name is None, group, len(members), tuple(members))
