"""`mlctl logs`"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()

_PERIOD = 0.1  # seconds between two looks at a log that is followed


@app.command()
def logs(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="As `mlctl status` names it.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for more while the stage runs.")
    ] = False,
    lines: Annotated[
        int | None, typer.Option("-n", "--lines", metavar="N", min=1, help="Only the last N lines.")
    ] = None,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Print what a stage printed when it last ran here.

    Examples:

        $ mlctl logs train

        $ mlctl logs train@a -f

        $ mlctl logs train -n 20
    """
    import sys

    from mlctl.cli._output import print_json, say
    from mlctl.pipeline.logs import Log, find_log

    log: Log = find_log(stage)
    text = log.read()
    shown = text.splitlines()[-lines:] if lines else text.splitlines()
    if json:
        print_json("logs", {"stage": log.stage, "run": log.run, "path": log.path, "lines": shown})
        return 0
    for line in shown:
        say(line)
    running = follow
    while running:
        sys.stdout.flush()
        time.sleep(_PERIOD)
        running = log.running()
        sys.stdout.write(log.more())
    return 0
