"""`mlctl exp watch`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, RunName

app = typer.Typer()


@app.command()
def watch(
    run: RunName = "last",
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
    wait: Annotated[
        bool | None,
        typer.Option("--wait/--no-wait", help="Wait for a run to log; default: on a terminal."),
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Watch the curves of a run while its stages log, on this machine or on hosts.

    Redraws about once a second, and ends when the run does; Ctrl-C ends only the watching. In a
    pipe it prints a line for each stage that has moved on, with --json one for each logged step.

    Examples:

        $ mlctl exp watch

        $ mlctl exp watch -m 'val/*' --smooth 0.6

        $ mlctl exp watch --wait --json
    """
    import os

    from mlctl.cli.exp import _watching
    from mlctl.cli.exp._plotting import check
    from mlctl.experiments.live import project_root

    check(axis, None)
    root = project_root(os.getcwd())
    shown = _watching.view(json=json, look=_watching.Look(metric or [], axis, smooth))
    try:
        run_id = _watching.found(root, run, wait=wait)
        _watching.follow(root, run_id, shown)
    except KeyboardInterrupt:  # the run goes on: nothing was interrupted
        return 0
    finally:
        shown.close()
    return 0
