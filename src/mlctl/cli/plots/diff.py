"""`mlctl plots diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Check, Directory, Json
from mlctl.cli._values import Open, Output

app = typer.Typer()


@app.command()
def diff(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REV]...", help="Git revisions; one alone is compared with the workspace."
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="PLOT", help="Only this plot or file (repeatable)."),
    ] = None,
    out: Output = None,
    check: Check = False,
    open_page: Open = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Draw the plots of several revisions over one another, as one HTML page.

    Without a revision, HEAD and the workspace are compared.

    Examples:

        $ mlctl plots diff

        $ mlctl plots diff main feature --target loss.csv
    """
    from contextlib import ExitStack

    from mlctl.cli import _plots, _values
    from mlctl.cli._output import print_json
    from mlctl.outputs.plots import differ, plots
    from mlctl.outputs.trees import WORKSPACE
    from mlctl.pipeline.project import Project

    project = Project.open()
    names = revisions or ["HEAD"]
    names = [*names, WORKSPACE] if len(names) == 1 else names
    with ExitStack() as stack:
        shown = plots(_values.open_trees(stack, project, names), target or [], cwd=project.cwd)
    if json:
        print_json("plots.diff", _plots.plots_json(shown, names))
    else:
        _plots.print_plots(shown)
        if shown:
            _plots.write_page(project, shown, names, out, opened=open_page)
    return int(check and any(differ(plot, names) for plot in shown))
