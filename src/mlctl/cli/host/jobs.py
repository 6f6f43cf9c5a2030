"""`mlctl host jobs`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.errors import NotAble

app = typer.Typer()


@app.command()
def jobs(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="[HOST]...", help="Default: all.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also those that have ended and were fetched.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """The jobs on hosts: those that run or wait, and those whose outs nobody has fetched yet.

    Examples:

        $ mlctl host jobs

        $ mlctl host jobs gpubox --all
    """
    from mlctl.cli._output import print_json, say, styled
    from mlctl.cli.host._common import each_host, short, state_text

    answers = each_host(hosts, lambda host: host.call("jobs")["jobs"])
    told, silent = [], []
    for name, answer in answers.items():
        if isinstance(answer, NotAble):
            silent.append((name, answer))
            continue
        told += [
            {"host": name, **job}
            for job in answer
            if everything or job["state"] != "exited" or not job["fetched"]
        ]
    if json:
        unheard = [{"host": name, "error": str(error)} for name, error in silent]
        print_json("host.jobs", {"jobs": told, "silent": unheard})
        return NotAble.exit_code if silent else 0
    if not told and not silent:
        say("no jobs" if everything else "no jobs; `--all` shows those that are over")
    for job in told:
        place = f"{job['project']}: {job['stage']}"
        state = state_text(job)
        note = "" if job["state"] != "exited" or job["fetched"] else styled("  not fetched", "33")
        say(f"{short(job['job'])}  {job['host']}  {state:<18}  {place}  ({job['user']}){note}")
    for _, error in silent:
        say(styled(str(error), "31"))
    return NotAble.exit_code if silent else 0
