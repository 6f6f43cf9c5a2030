"""`mlctl host logs`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import JobName

app = typer.Typer()


@app.command()
def logs(
    job: JobName,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Print what a job has printed.

    Examples:

        $ mlctl host logs 3K7Q2M -f
    """
    from mlctl.cli._output import print_json
    from mlctl.cli.host._common import find_job
    from mlctl.hosts.agent import wire

    host, found = find_job(job)
    text = bytearray()
    for kind, payload in host.channel().stream("follow", job=found["job"], offset=0):
        if kind == wire.DATA and json:
            text += payload
        elif kind == wire.DATA:
            sys.stdout.buffer.write(payload)
            sys.stdout.buffer.flush()
        elif kind == wire.STATE and not follow:
            break  # all that was there has come
    if json:
        lines = text.decode(errors="replace").splitlines()
        print_json("host.logs", {"job": found["job"], "host": host.name, "lines": lines})
    return 0
