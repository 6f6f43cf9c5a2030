"""`mlctl exp plot`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def plot(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Short ids, `last`, `last~1`; default: last."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", "-m", metavar="NAME", help="Only this metric, or a pattern (repeatable)."
        ),
    ] = None,
    axis: Annotated[str, typer.Option("-x", metavar="step|time", help="What runs across.")] = (
        "step"
    ),
    smooth: Annotated[
        float,
        typer.Option(metavar="WEIGHT", min=0.0, max=0.999, help="Average away noise, 0 to 1."),
    ] = 0.0,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write an .svg or .html file instead."),
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Draw what runs logged: the curve of each metric, in the terminal or into a file.

    Examples:

        $ mlctl exp plot

        $ mlctl exp plot last last~1 -m val/auc -m 'train/*'

        $ mlctl exp plot K3F9QZ -x time --smooth 0.9 -o curves.svg
    """
    import os

    from mlctl.cli._output import print_json, say
    from mlctl.cli.exp import _plotting
    from mlctl.experiments.live import project_root
    from mlctl.experiments.plotting import plotted
    from mlctl.records.canonical import plain

    _plotting.check(axis, out)
    root = project_root(os.getcwd())
    shown = plotted(root, runs or ["last"], metric or [], smooth)
    if json:
        print_json("exp.plot", plain(_plotting.as_json(shown)))
    elif out:
        say(_plotting.write(shown, out, axis))
    else:
        for line in _plotting.in_terminal(shown, axis, metric or []):
            say(line)
    return 0
