"""`mlctl host attach`."""

from __future__ import annotations

import sys

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import JobName

app = typer.Typer()


@app.command()
def attach(job: JobName, directory: Directory = None, json: Json = False) -> int:
    """Follow a job to its end; ends with 1 where the job failed.

    Shows the log from its beginning. Ctrl-C leaves the job alone. What it made is recorded by the
    next `mlctl run` of its stage.

    Examples:

        $ mlctl host attach 3K7Q2M
    """
    from mlctl.cli._output import print_json, say, styled
    from mlctl.cli.host._common import find_job, short, state_text

    def write(data: bytes) -> None:
        if not json:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def told(state: object) -> None:
        if not json and isinstance(state, dict) and state["state"] == "waiting":
            say(styled(state_text(state), "2"))

    host, found = find_job(job)
    end = host.follow(found["job"], 0, write, told)
    state = state_text({**end, "state": "exited"})
    if json:
        print_json("host.attach", {"job": found["job"], "host": host.name, "ended": state, **end})
    else:
        say(styled(f"{short(found['job'])} on {host.name}: {state}", "2"))
    return 0 if state == "done" else 1
