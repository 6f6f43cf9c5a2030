"""`mlctl host top`."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from mlctl.cli._options import Directory, Json
from mlctl.errors import NotAble

app = typer.Typer()


@app.command()
def top(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="[HOST]...", help="Default: all.")
    ] = None,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.5, help="Between two looks.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """What hosts do now: load, each GPU with its use, and the jobs that run or wait.

    Looks again and again until Ctrl-C; once, where its output is no terminal.

    Examples:

        $ mlctl host top gpubox

        $ mlctl host top --once --json
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import each_host

    while True:
        answers = each_host(hosts, lambda host: (host.call("facts"), host.call("jobs")["jobs"]))
        if json:
            print_json("host.top", {"hosts": [_told(*item) for item in answers.items()]})
            return 0
        lines = [line for name, answer in answers.items() for line in _lines(name, answer)]
        watched = sys.stdout.isatty() and not once
        say(("\033[H\033[2J" if watched else "") + "\n".join(lines))
        if not watched:
            return 0
        time.sleep(every)


def _told(name: str, answer: Any) -> dict[str, Any]:
    if isinstance(answer, NotAble):
        return {"host": name, "error": str(answer), "facts": None, "jobs": []}
    live = [job for job in answer[1] if job["state"] != "exited"]
    return {"host": name, "error": None, "facts": answer[0], "jobs": live}


def _lines(name: str, answer: Any) -> list[str]:
    from mlctl.cli._output import styled
    from mlctl.cli.host._common import short, state_text

    if isinstance(answer, NotAble):
        return [f"{styled(name, '1')}  {styled(answer.message, '31')}"]
    facts, jobs = answer
    load = f"load {facts['load'][0]:.1f} of {facts['cpus']}"
    lines = [f"{styled(name, '1')}  {load}, {facts['disk']['free'] / 1e9:.0f} GB free"]
    for gpu in facts["gpus"]:
        used = f"{(gpu['used'] or 0) / 1024:.1f} of {(gpu['memory'] or 0) / 1024:.0f} GiB"
        power = f"{gpu['power']:.0f} W" if gpu["power"] is not None else ""
        owner = "leased" if gpu["leased"] else "used by others" if gpu["users"] else "free"
        lines.append(
            f"  gpu {gpu['index']}  {gpu['busy'] or 0:3.0f} %  {used}  {power:>6}  {owner}"
        )
    for job in jobs:
        if job["state"] != "exited":
            place = f"{job['project']}: {job['stage']}  ({job['user']})"
            lines.append(f"  {short(job['job'])}  {state_text(job):<16}  {place}")
    return lines
