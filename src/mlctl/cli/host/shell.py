"""`mlctl host shell`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory
from mlctl.cli.host._common import HostName

app = typer.Typer()


@app.command()
def shell(
    host: HostName,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", help="Begin in this job's work tree.")
    ] = None,
    directory: Directory = None,
) -> int:
    """A shell on a host, over the connection that mlctl holds.

    Examples:

        $ mlctl host shell gpubox --job 3K7Q2M
    """
    from mlctl.cli.host._common import find_job, root
    from mlctl.projects.hosts import open_host

    found = open_host(root(), host)
    folder = None
    if job is not None:
        found, named = find_job(job)
        folder = f"{found.channel().home}/jobs/{named['job']}/work"
    return found.shell(folder)
