"""`mlctl host cancel`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import JobName

app = typer.Typer()


@app.command()
def cancel(job: JobName, directory: Directory = None, json: Json = False) -> int:
    """End a job with all its processes, and come back when they are gone.

    Examples:

        $ mlctl host cancel 3K7Q2M
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import find_job, short, state_text

    host, found = find_job(job)
    host.call("cancel", job=found["job"])
    end = host.follow(found["job"], -1, lambda _data: None, lambda _state: None)
    if json:
        print_json("host.cancel", {"job": found["job"], "host": host.name, **end})
    else:
        say(f"{short(found['job'])} on {host.name}: {state_text(end)}")
    return 0
