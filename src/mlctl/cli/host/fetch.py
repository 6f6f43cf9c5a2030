"""`mlctl host fetch`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import JobName

app = typer.Typer()


@app.command()
def fetch(
    job: JobName,
    to: Annotated[str, typer.Option("--to", metavar="DIR", help="A folder that is not there yet.")],
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Bring what a job made into a folder, to look at it; nothing is recorded.

    `mlctl run` of the stage brings it to its place and records it.

    Examples:

        $ mlctl host fetch 3K7Q2M --to looked-at
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import find_job
    from mlctl.hosts.fetching import fetch_outs

    host, found = find_job(job)
    outs = fetch_outs(host, found["job"], to)
    if json:
        print_json("host.fetch", {"job": found["job"], "host": host.name, "outs": outs})
    else:
        for out in outs:
            say(f"{to}/{out}")
    return 0
