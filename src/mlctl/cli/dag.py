"""`mlctl dag`"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlctl.cli._options import Directory, Downstream, Json, Targets

if TYPE_CHECKING:
    from mlctl.pipeline.project import Project
    from mlctl.pipeline.spec import Stage

app = typer.Typer()


@app.command()
def dag(
    targets: Targets = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print a graph for Graphviz.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page that works offline.")
    ] = None,
    collapse: Annotated[
        bool, typer.Option("--collapse", help="Draw each foreach or matrix as one box.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status/--no-status", help="Mark what is changed.")
    ] = True,
    downstream: Downstream = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Draw the graph of stages: in the terminal, as Mermaid, DOT or a page.

    Examples:

        $ mlctl dag

        $ mlctl dag --mermaid train   for a README or a pull request

        $ mlctl dag --html dag.html
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli._steps import drawn
    from mlctl.pipeline import draw
    from mlctl.pipeline.project import Project

    project = Project.open()
    indices = project.select(targets or [], everything=not targets, downstream=downstream)
    stages = [project.stages[index] for index in indices]
    edges = [
        (project.stages[need].address, project.stages[index].address)
        for index in indices
        for need in project.graph.needs[index]
        if need in set(indices)
    ]
    state = _state(project, indices) if status else None
    project.save_state()
    if json:
        print_json("dag", _graph_json(stages, edges, state))
    elif not stages:
        say("There are no stages.")
    elif mermaid:
        say(draw.mermaid(stages, edges, state=state, collapse=collapse).rstrip("\n"))
    elif dot:
        say(draw.dot(stages, edges, state=state, collapse=collapse).rstrip("\n"))
    elif html is not None:
        from mlctl.adapters.files import write_text
        from mlctl.pipeline import draw_html

        write_text(html, draw_html.html(stages, edges, state=state, collapse=collapse))
        say(f"wrote {html}")
    else:
        say(draw.terminal(stages, edges, state=state, collapse=collapse, style=drawn))
    return 0


def _state(project: Project, indices: Sequence[int]) -> dict[str, str]:
    from mlctl.pipeline.planning import planned

    steps = planned(project, indices)
    return {step.stage.address: "changed" if step.changed else "unchanged" for step in steps}


def _graph_json(
    stages: Sequence[Stage], edges: Sequence[tuple[str, str]], state: Mapping[str, str] | None
) -> dict[str, Any]:
    """`nodes` with `stage file state` (null where not asked), `edges` with `from to`."""
    known = state or {}
    return {
        "nodes": [
            {"stage": s.address, "file": s.file, "state": known.get(s.address)} for s in stages
        ],
        "edges": [{"from": before, "to": after} for before, after in edges],
    }
