"""Where the boxes of a layered drawing stand: layers, order inside them, and positions.

The method is the layered drawing of directed graphs (Sugiyama, Tagawa and Toda, 1981): longest-path
layers, a chain of dummy nodes for every edge over several layers, barycentre sweeps against
crossings, and positions as the least-squares fit to the neighbours that keeps order and distance.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[int, int]

_SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """`layer` and `across` of each node, and for each edge the points of its dummy nodes.

    `across` is the position inside the layer, in the unit of the `sizes` given, from 0; a bend is
    a pair (layer, across).
    """

    layer: tuple[int, ...]
    across: tuple[float, ...]
    bends: tuple[tuple[tuple[int, float], ...], ...]


def depths(count: int, edges: Sequence[Edge]) -> list[int]:
    """The longest path to each node, in edges.

    A cycle (collapsing groups can make one) is broken at its first node.
    """
    users: list[list[int]] = [[] for _ in range(count)]
    missing = [0] * count
    for a, b in edges:
        users[a].append(b)
        missing[b] += 1
    depth = [0] * count
    done = [False] * count
    ready = [node for node in range(count) if not missing[node]]
    first_left = 0
    for _ in range(count):
        if not ready:
            while done[first_left]:
                first_left += 1
            ready.append(first_left)
        node = ready.pop()
        done[node] = True
        for user in users[node]:
            missing[user] -= 1
            if not done[user]:
                depth[user] = max(depth[user], depth[node] + 1)
                if not missing[user]:
                    ready.append(user)
    return depth


def layout(count: int, edges: Sequence[Edge], *, gap: float = 1.0, thin: float = 0.4) -> Layout:
    """Lay out `count` nodes of size 1, at least `gap` apart; a dummy node takes `thin`."""
    layer = _layers(count, edges)
    forward = [(a, b) if layer[a] <= layer[b] else (b, a) for a, b in edges]
    chains: list[list[int]] = []
    for a, b in forward:
        dummies = range(len(layer), len(layer) + max(layer[b] - layer[a] - 1, 0))
        chains.append([a, *dummies, b])
        layer += range(layer[a] + 1, layer[b])
    links = [link for chain in chains for link in pairwise(chain)]
    order = _order(layer, links)
    sizes = [gap if node < count else thin for node in range(len(layer))]
    across = _positions(order, links, sizes)
    bends = []
    for (a, b), chain in zip(edges, chains, strict=True):
        points = [(layer[node], across[node]) for node in chain[1:-1]]
        bends.append(tuple(points if chain[0] == a and chain[-1] == b else reversed(points)))
    return Layout(tuple(layer[:count]), tuple(across[:count]), tuple(bends))


def crossings(upper: Sequence[int], lower: Sequence[int], links: Sequence[Edge]) -> int:
    """How many pairs of links between two layers cross, given the order of each layer."""
    above = {node: place for place, node in enumerate(upper)}
    below = {node: place for place, node in enumerate(lower)}
    ends = sorted((above[a], below[b]) for a, b in links if a in above and b in below)
    seen: list[int] = []
    total = 0
    for _, end in ends:
        total += len(seen) - bisect_right(seen, end)
        insort(seen, end)
    return total


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """Longest-path layers; a node that needs nothing moves beside the first that needs it."""
    layer = depths(count, edges)
    users: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        users[a].append(b)
    needed = {b for _, b in edges}
    for node in range(count):
        if node not in needed and users[node]:
            layer[node] = max(min(layer[user] for user in users[node]) - 1, 0)
    return layer


def _order(layer: Sequence[int], links: Sequence[Edge]) -> list[list[int]]:
    """The order in each layer with the fewest crossings that the sweeps met."""
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node, depth in enumerate(layer):
        rows[depth].append(node)
    before, after = _neighbours(len(layer), links)
    by_layer: list[list[Edge]] = [[] for _ in rows]
    for a, b in links:
        by_layer[layer[a]].append((a, b))
    place = [0] * len(layer)
    for row in rows:
        for at, node in enumerate(row):
            place[node] = at
    best, fewest = [row[:] for row in rows], _all_crossings(rows, by_layer)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        near = before if downwards else after
        for row in rows if downwards else reversed(rows):
            row.sort(key=lambda node: _mean([place[n] for n in near[node]], place[node]))
            for at, node in enumerate(row):
                place[node] = at
        if (found := _all_crossings(rows, by_layer)) < fewest:
            best, fewest = [row[:] for row in rows], found
    return best


def _all_crossings(rows: Sequence[Sequence[int]], by_layer: Sequence[Sequence[Edge]]) -> int:
    return sum(crossings(rows[i], rows[i + 1], by_layer[i]) for i in range(len(rows) - 1))


def _positions(
    order: Sequence[Sequence[int]], links: Sequence[Edge], sizes: Sequence[float]
) -> list[float]:
    across = [0.0] * len(sizes)
    for row in order:
        for node, place in zip(row, _spread([0.0] * len(row), row, sizes), strict=True):
            across[node] = place
    before, after = _neighbours(len(sizes), links)
    for sweep in range(_SWEEPS):
        for row in order if sweep % 2 == 0 else reversed(order):
            near = [
                [*before[n], *after[n]] if sweep > 3 else _one(before, after, sweep, n) for n in row
            ]
            wished = [
                _mean([across[n] for n in around], across[node])
                for node, around in zip(row, near, strict=True)
            ]
            for node, place in zip(row, _spread(wished, row, sizes), strict=True):
                across[node] = place
    lowest = min(across, default=0.0)
    return [place - lowest for place in across]


def _one(
    before: Sequence[list[int]], after: Sequence[list[int]], sweep: int, node: int
) -> list[int]:
    return before[node] if sweep % 2 == 0 else after[node]


def _spread(wished: Sequence[float], row: Sequence[int], sizes: Sequence[float]) -> list[float]:
    """The positions nearest to `wished`, in least squares, in this order and not too close.

    With the distances subtracted this is isotonic regression, solved by pooling violators.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (sizes[left] + sizes[right]) / 2)
    blocks: list[tuple[float, int]] = []
    for wish, offset in zip(wished, offsets, strict=False):
        mean, size = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean, size = (mean * size + other * others) / (size + others), size + others
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    return [place + offset for place, offset in zip(flat, offsets, strict=False)]


def _neighbours(count: int, links: Sequence[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for a, b in links:
        before[b].append(a)
        after[a].append(b)
    return before, after


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
