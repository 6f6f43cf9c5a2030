"""`mlctl host rm`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import HostName

app = typer.Typer()


@app.command()
def rm(host: HostName, directory: Directory = None, json: Json = False) -> int:
    """Take a host out of the project's settings; nothing on the host is touched.

    Examples:

        $ mlctl host rm gpubox
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import root
    from mlctl.projects import hosts

    files = hosts.remove(root(), host)
    if json:
        print_json("host.rm", {"host": host, "files": files})
    else:
        say(f"{host} is no longer in {' and '.join(files)}")
    return 0
