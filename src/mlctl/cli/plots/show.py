"""`mlctl plots show`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import Open, Output, Rev

app = typer.Typer()


@app.command()
def show(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLOT]...", help="Plot ids, files or folders; default: all."),
    ] = None,
    rev: Rev = None,
    out: Output = None,
    open_page: Open = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Draw the plots as one HTML page that needs nothing else.

    Plots are the `plots` of stages and those of the top-level `plots` list.

    Examples:

        $ mlctl plots show

        $ mlctl plots show training/loss.csv -o loss.html
    """
    from contextlib import ExitStack

    from mlctl.cli import _plots, _values
    from mlctl.cli._output import print_json
    from mlctl.outputs.plots import plots
    from mlctl.outputs.trees import WORKSPACE
    from mlctl.pipeline.project import Project

    project = Project.open()
    names = rev or [WORKSPACE]
    with ExitStack() as stack:
        shown = plots(_values.open_trees(stack, project, names), targets or [], cwd=project.cwd)
    if json:
        print_json("plots.show", _plots.plots_json(shown, names))
        return 0
    _plots.print_plots(shown)
    if shown:
        _plots.write_page(project, shown, names, out, opened=open_page)
    return 0
