"""`mlctl host logs`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mlctl.cli._options import Directory
from mlctl.cli.host._common import JobName

app = typer.Typer()


@app.command()
def logs(
    job: JobName,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")
    ] = False,
    directory: Directory = None,
) -> int:
    """Print what a job has printed.

    Examples:

        $ mlctl host logs 3K7Q2M -f
    """
    from mlctl.cli.host._common import find_job
    from mlctl.hosts.agent import wire

    host, found = find_job(job)
    channel = host.channel()
    stream = channel.stream("follow", job=found["job"], offset=0)
    for kind, payload in stream:
        if kind == wire.DATA:
            sys.stdout.buffer.write(payload)
            sys.stdout.buffer.flush()
        elif kind == wire.STATE and not follow:
            break  # all that was there has come
    return 0
