"""The graph of stages as a drawing: for a terminal, for Mermaid, for Graphviz, as an HTML page.

Pure. Every function takes the stages, the edges as pairs of addresses (producer, consumer), and, if
known, the state of each address. Edges from or to what is not drawn are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mlctl.pipeline.draw_html import html as html
from mlctl.pipeline.layout import depths
from mlctl.pipeline.picture import Drawing, Edges, States, drawing
from mlctl.pipeline.spec import Stage

_COLOURS = {
    "failed": ("#ffd7d5", "#cf222e"),
    "cancelled": ("#ffd7d5", "#cf222e"),
    "skipped": ("#eaeef2", "#6e7781"),
    "running": ("#ddf4ff", "#0969da"),
    "changed": ("#fff8c5", "#9a6700"),
    "ran": ("#dafbe1", "#1a7f37"),
    "restored": ("#dafbe1", "#1a7f37"),
    "unchanged": ("#dafbe1", "#1a7f37"),
}
_NAMED = 3  # producers that a join names before it counts


def terminal(
    stages: Sequence[Stage],
    edges: Edges,
    *,
    state: States | None = None,
    collapse: bool = False,
    style: Callable[[str, str | None], str] | None = None,
) -> str:
    """An indented tree: each stage once, under the producer that it waits for longest.

    Its other producers are named beside it. `style` colours a label by its state; without it the
    state is written out.
    """
    picture = drawing(stages, edges, state=state, collapse=collapse)
    parents, others = _tree(picture)
    children: dict[int | None, list[int]] = {}
    for node, parent in enumerate(parents):
        children.setdefault(parent, []).append(node)
    lines: list[str] = []
    stack = [(root, "", "") for root in reversed(children.get(None, []))]
    while stack:  # no recursion: a chain of stages may be longer than Python's stack
        node, head, indent = stack.pop()
        lines.append(head + _terminal_label(picture, node, others[node], style))
        below = children.get(node, [])
        for child in reversed(below):
            last = child == below[-1]
            stack.append(
                (child, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "))
            )
    return "\n".join(lines)


def mermaid(
    stages: Sequence[Stage], edges: Edges, *, state: States | None = None, collapse: bool = False
) -> str:
    """A Mermaid flowchart, as GitHub draws it in Markdown; groups are subgraphs."""
    picture = drawing(stages, edges, state=state, collapse=collapse)
    lines = ["flowchart TD"]
    for number, (group, members) in enumerate(_groups(picture)):
        indent = "    "
        if group is not None:
            lines.append(f'{indent}subgraph group{number}["{_mermaid_text(group)}"]')
            indent += "    "
        for i in members:
            node = picture.nodes[i]
            left, right = ("[(", ")]") if node.is_data else ("[", "]")
            kind = f":::{node.state}" if node.state in _COLOURS else ""
            lines.append(f'{indent}node{i}{left}"{_mermaid_text(node.label)}"{right}{kind}')
        if group is not None:
            lines.append("    end")
    lines += [f"    node{a} --> node{b}" for a, b in picture.edges]
    lines += [
        f"    classDef {name} fill:{fill},stroke:{line},color:#1f2328"
        for name, (fill, line) in _COLOURS.items()
        if any(node.state == name for node in picture.nodes)
    ]
    return "\n".join(lines) + "\n"


def dot(
    stages: Sequence[Stage], edges: Edges, *, state: States | None = None, collapse: bool = False
) -> str:
    """A Graphviz digraph; groups are clusters."""
    picture = drawing(stages, edges, state=state, collapse=collapse)
    lines = ["digraph pipeline {", '    node [shape=box, style="rounded,filled", fillcolor=white]']
    for number, (group, members) in enumerate(_groups(picture)):
        indent = "    "
        if group is not None:
            lines.append(f"{indent}subgraph cluster_{number} {{")
            indent += "    "
            lines.append(f"{indent}label={_dot_text(group)}")
        for i in members:
            node = picture.nodes[i]
            extra = ", shape=cylinder" if node.is_data else ""
            if node.state in _COLOURS:
                fill, line = _COLOURS[node.state]
                extra += f', fillcolor="{fill}", color="{line}"'
            lines.append(f"{indent}node{i} [label={_dot_text(node.label)}{extra}]")
        if group is not None:
            lines.append("    }")
    lines += [f"    node{a} -> node{b}" for a, b in picture.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _tree(picture: Drawing) -> tuple[list[int | None], list[list[int]]]:
    """For each node, its parent in the drawn tree (None for a root), and its other producers."""
    producers: list[list[int]] = [[] for _ in picture.nodes]
    for a, b in picture.edges:
        producers[b].append(a)
    depth = depths(len(picture.nodes), picture.edges)
    parents: list[int | None] = []
    others: list[list[int]] = []
    for node, needed in enumerate(producers):
        above = [n for n in needed if depth[n] < depth[node]]
        parent = max(above, key=lambda n: (depth[n], n), default=None)
        parents.append(parent)
        others.append([n for n in needed if n != parent])
    return parents, others


def _terminal_label(
    picture: Drawing,
    index: int,
    others: Sequence[int],
    style: Callable[[str, str | None], str] | None,
) -> str:
    node = picture.nodes[index]
    text = style(node.label, node.state) if style else node.label
    if node.state and not style:
        text += f" [{node.state}]"
    if not others:
        return text
    names = [picture.nodes[i].label for i in others]
    if len(names) > _NAMED + 1:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    joined = ", ".join(names)
    return f"{text}  {style(f'← {joined}', 'join') if style else f'← {joined}'}"


def _groups(picture: Drawing) -> Iterator[tuple[str | None, list[int]]]:
    """Nodes by their group, each group at the place of its first stage; others one by one."""
    groups: dict[tuple[str, str], list[int]] = {}
    for index, node in enumerate(picture.nodes):
        if node.group:
            groups.setdefault((node.stages[0].file, node.group), []).append(index)
    for index, node in enumerate(picture.nodes):
        if not node.group:
            yield None, [index]
            continue
        members = groups[node.stages[0].file, node.group]
        if members[0] == index:
            yield node.group, members


def _mermaid_text(text: str) -> str:
    """Text in quotes: what Mermaid would read as markup becomes its `#…;` entities."""
    return "".join(f"#{ord(c)};" if c in '"#<>&`\\\n' else c for c in text)


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
