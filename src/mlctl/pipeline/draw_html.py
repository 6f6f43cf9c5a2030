"""The graph of stages as one HTML page that needs nothing else: an inline SVG, a little script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from mlctl.pipeline.layout import Layout, layout
from mlctl.pipeline.picture import Drawing, Edges, Node, States, drawing
from mlctl.pipeline.spec import Stage

_LETTER = 7.3  # the width of a character of the label's font
_HEIGHT, _ROW, _GUTTER, _MARGIN = 30, 42, 64, 16


def html(
    stages: Sequence[Stage],
    edges: Edges,
    *,
    state: States | None = None,
    collapse: bool = False,
    title: str = "Pipeline",
) -> str:
    """The whole page. Layers go from left to right; pointing at a box shows what it depends on."""
    picture = drawing(stages, edges, state=state, collapse=collapse)
    states = sorted({node.state for node in picture.nodes if node.state})
    legend = "".join(f'<span class="key {escape(s)}">{escape(s)}</span>' for s in states)
    total = sum(node.size for node in picture.nodes)
    arrows = json.dumps(picture.edges)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_CSS}</style></head>\n"
        f"<body><header><h1>{escape(title)}</h1><p>{total} stages {legend}</p></header>\n"
        f"<main>{svg(picture)}</main>\n"
        f"<script>const edges = {arrows};{_JS}</script></body></html>\n"
    )


def svg(picture: Drawing) -> str:
    """The drawing alone, styled by the page's classes."""
    places = layout(len(picture.nodes), picture.edges)
    columns, widths = _columns(picture.nodes, places)
    width = max((x + w for x, w in zip(columns, widths, strict=True)), default=0) + _MARGIN
    height = max(places.across, default=0) * _ROW + _HEIGHT + 2 * _MARGIN
    for bends in places.bends:
        height = max(height, *(_centre(y) + _MARGIN for _, y in bends), 0)
    parts = [_arrow(picture, places, columns, widths, i) for i in range(len(picture.edges))]
    parts += [
        _box(i, node, columns[places.layer[i]], places.across[i])
        for i, node in enumerate(picture.nodes)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="graph of stages">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def _columns(nodes: Sequence[Node], places: Layout) -> tuple[list[float], list[float]]:
    """The left edge and the width of every layer."""
    widths = [0.0] * (max(places.layer, default=-1) + 1)
    for node, layer in zip(nodes, places.layer, strict=True):
        widths[layer] = max(widths[layer], _width(node))
    rows = max((places.layer.count(layer) for layer in set(places.layer)), default=0)
    gutter = min(max(_GUTTER, rows * 4), 3 * _GUTTER)  # steep curves need room
    lefts = [_MARGIN + sum(widths[:i]) + i * gutter for i in range(len(widths))]
    return lefts, widths


def _width(node: Node) -> float:
    return len(node.label) * _LETTER + 24


def _centre(across: float) -> float:
    return _MARGIN + across * _ROW + _HEIGHT / 2


def _box(index: int, node: Node, left: float, across: float) -> str:
    kind = f"{'data' if node.is_data else 'stage'} {node.state or ''}".strip()
    top, width = _centre(across) - _HEIGHT / 2, _width(node)
    stacked = (
        f'<rect class="back" x="{left + 4:.1f}" y="{top + 4:.1f}" width="{width:.1f}" '
        f'height="{_HEIGHT}" rx="6"/>'
        if node.size > 1
        else ""
    )
    return (
        f'<g class="node {escape(kind)}" data-node="{index}" tabindex="0">'
        f"<title>{escape(_tooltip(node))}</title>{stacked}"
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT}" '
        f'rx="{15 if node.is_data else 6}"/>'
        f'<text x="{left + 12:.1f}" y="{top + 20:.1f}">{escape(node.label)}</text></g>'
    )


def _tooltip(node: Node) -> str:
    stage = node.stages[0]
    if node.size > 1:
        return "\n".join([node.label, *(member.address for member in node.stages)])
    command = stage.cmd if isinstance(stage.cmd, str) else "\n".join(stage.cmd or ())
    lines = [node.label + (f" ({node.state})" if node.state else ""), stage.desc or "", command]
    lines += [f"dep: {dep.path}" for dep in stage.deps]
    lines += [f"params: {dep.path}: {', '.join(dep.names) or 'all'}" for dep in stage.params]
    lines += [f"{out.kind}: {out.path}" for out in stage.outs]
    return "\n".join(line for line in lines if line)


def _arrow(
    picture: Drawing, places: Layout, columns: Sequence[float], widths: Sequence[float], index: int
) -> str:
    """A curve from the producer's right side, along its bends, to the consumer's left side."""
    a, b = picture.edges[index]
    x = columns[places.layer[a]] + _width(picture.nodes[a])
    y = _centre(places.across[a])
    path = f"M{x:.1f} {y:.1f}"
    column_end = columns[places.layer[a]] + widths[places.layer[a]]
    if column_end > x:
        path += f"H{column_end:.1f}"
        x = column_end
    for layer, across in places.bends[index]:
        path += _curve(x, y, columns[layer], _centre(across)) + f"h{widths[layer]:.1f}"
        x, y = columns[layer] + widths[layer], _centre(across)
    path += _curve(x, y, columns[places.layer[b]] - 2, _centre(places.across[b]))
    return f'<path class="edge" data-edge="{index}" d="{path}" marker-end="url(#tip)"/>'


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    return f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


_CSS = """
:root { color-scheme: light dark; --ink: #1f2328; --dim: #6e7781; --page: #fff; --box: #f6f8fa;
  --line: #d0d7de; --edge: #8c959f; --changed: #fff8c5; --changed-line: #d4a72c; --good: #dafbe1;
  --good-line: #4ac26b; --bad: #ffebe9; --bad-line: #ff8182; --busy: #ddf4ff;
  --busy-line: #54aeff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #8d96a0; --page: #0d1117;
  --box: #161b22; --line: #30363d; --edge: #6e7681; --changed: #3a2d0b; --changed-line: #9e6a03;
  --good: #0f2d18; --good-line: #238636; --bad: #3d1418; --bad-line: #da3633; --busy: #0c2d6b;
  --busy-line: #1f6feb; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px system-ui, sans-serif; }
header { padding: 16px 16px 0; } h1 { font-size: 18px; margin: 0; }
header p { margin: 6px 0 0; color: var(--dim); } main { overflow: auto; padding: 8px 0; }
.key { border: 1px solid var(--line); border-radius: 6px; padding: 1px 8px; margin-left: 8px; }
svg { display: block; } text { font: 12px ui-monospace, monospace; fill: var(--ink); }
rect { fill: var(--box); stroke: var(--line); } .data rect { stroke-dasharray: 4 3; }
.changed rect { fill: var(--changed); stroke: var(--changed-line); }
.key.changed { background: var(--changed); }
.unchanged rect, .ran rect, .restored rect { fill: var(--good); stroke: var(--good-line); }
.key.unchanged, .key.ran, .key.restored { background: var(--good); }
.failed rect, .cancelled rect { fill: var(--bad); stroke: var(--bad-line); }
.key.failed, .key.cancelled { background: var(--bad); }
.running rect { fill: var(--busy); stroke: var(--busy-line); }
.key.running { background: var(--busy); }
.edge { fill: none; stroke: var(--edge); stroke-width: 1.3; } #tip path { fill: var(--edge); }
.node { cursor: default; outline: none; } .node:focus-visible rect { stroke-width: 2; }
.focus .node:not(.on), .focus .edge:not(.on) { opacity: .15; } .edge.on { stroke-width: 2; }
""".strip()

_JS = """
const picture = document.querySelector("svg");
const boxes = picture.querySelectorAll("[data-node]");
const lines = picture.querySelectorAll("[data-edge]");
function reach(start, from, to) {
  const nodes = new Set([start]), used = new Set();
  for (const node of nodes) edges.forEach((edge, i) => {
    if (edge[from] === node) { used.add(i); nodes.add(edge[to]); }
  });
  return [nodes, used];
}
function show(start) {
  const [down, below] = reach(start, 0, 1), [up, above] = reach(start, 1, 0);
  boxes.forEach((box, i) => box.classList.toggle("on", down.has(i) || up.has(i)));
  lines.forEach((line, i) => line.classList.toggle("on", below.has(i) || above.has(i)));
  picture.classList.add("focus");
}
function hide() { picture.classList.remove("focus"); }
boxes.forEach(box => {
  const start = () => show(+box.dataset.node);
  box.addEventListener("mouseenter", start); box.addEventListener("focus", start);
  box.addEventListener("mouseleave", hide); box.addEventListener("blur", hide);
});
""".strip()
