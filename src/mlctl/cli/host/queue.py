"""`mlctl host queue`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import HostName

app = typer.Typer()


@app.command()
def queue(host: HostName, directory: Directory = None, json: Json = False) -> int:
    """The GPUs of a host, who has them, and the jobs of all users that wait for some.

    Examples:

        $ mlctl host queue gpubox
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import root, short
    from mlctl.projects.hosts import open_host

    answer = open_host(root(), host).call("queue")
    if json:
        print_json("host.queue", {"host": host, **answer})
        return 0
    if not answer["gpus"]:
        say("no GPUs")
    for gpu in answer["gpus"]:
        state = "leased" if gpu["leased"] else "free"
        if gpu["users"] and not gpu["leased"]:
            state = f"in use outside of mlctl (pid {', '.join(map(str, gpu['users']))})"
        busy = f"{gpu['busy']:.0f} %" if gpu["busy"] is not None else "-"
        say(f"gpu {gpu['index']}  {gpu['name']}  {busy:>5}  {state}")
    for place, entry in enumerate(answer["waiting"], start=1):
        say(f"{place}. {short(entry['job'])}  {entry['user']}  {entry['gpus']} GPUs")
    if answer["gpus"] and not answer["waiting"]:
        say("nobody waits")
    return 0
