"""`mlctl dag`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()

_STYLES = {"changed": "33", "unchanged": "32"}


@app.command()
def dag(
    targets: Annotated[
        list[str] | None, typer.Argument(help="As of `mlctl run`; default: everything.")
    ] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print a graph for Graphviz.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page that needs no net.")
    ] = None,
    collapse: Annotated[
        bool, typer.Option("--collapse", help="Draw each foreach or matrix as one box.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status/--no-status", help="Mark what is changed.")
    ] = True,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="The targets and all that hangs on them.")
    ] = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Draw the graph of stages: in the terminal, as Mermaid, DOT or a page.

    Examples:

        $ mlctl dag

        $ mlctl dag --mermaid train   for a README or a pull request

        $ mlctl dag --html dag.html
    """
    from mlctl.adapters.files import write_text
    from mlctl.cli._output import print_json, say, styled
    from mlctl.pipeline import draw, draw_html
    from mlctl.pipeline.planning import planned
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
    state = None
    if status:
        steps = planned(project, indices)
        state = {s.stage.address: "changed" if s.changed else "unchanged" for s in steps}
    project.save_state()
    if json:
        nodes = [
            {"stage": s.address, "file": s.file, "state": (state or {}).get(s.address)}
            for s in stages
        ]
        print_json("dag", {"nodes": nodes, "edges": [{"from": a, "to": b} for a, b in edges]})
    elif mermaid:
        say(draw.mermaid(stages, edges, state=state, collapse=collapse).rstrip("\n"))
    elif dot:
        say(draw.dot(stages, edges, state=state, collapse=collapse).rstrip("\n"))
    elif html is not None:
        write_text(html, draw_html.html(stages, edges, state=state, collapse=collapse))
        say(f"Wrote {html}")
    else:
        say(
            draw.terminal(
                stages,
                edges,
                state=state,
                collapse=collapse,
                style=lambda label, s: styled(label, _STYLES.get(s or "", "0")),
            )
        )
    return 0
