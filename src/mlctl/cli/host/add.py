"""`mlctl host add`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import HostName

app = typer.Typer()


@app.command()
def add(
    host: HostName,
    python: Annotated[
        str | None, typer.Option("--python", metavar="PATH", help="Its Python; default: python3.")
    ] = None,
    home: Annotated[
        str | None,
        typer.Option("--home", metavar="DIR", help="Where jobs are kept; default: ~/.mlctl-host."),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            metavar="ENV",
            help="`auto`: from uv.lock, pylock.toml or requirements.txt; `none`; `conda:NAME`.",
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="LABEL", help="A name that it shares with other hosts."),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Only for this work tree: .mlctl/local.yaml.")
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--no-check", help="Write it down without asking it anything.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Make a host known to the project, after a look at whether it can be used.

    A host needs sshd and Python 3.8 or later; nothing is installed there. Ends with 3 where it
    cannot be used, and writes nothing then.

    Examples:

        $ mlctl host add gpubox

        $ mlctl host add gpubox --home /scratch/me/mlctl --local
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import root
    from mlctl.cli.host.check import look_at, show
    from mlctl.hosts.client import Host
    from mlctl.projects import hosts

    given = (("python", python), ("home", home), ("env", env), ("labels", labels))
    options = {key: value for key, value in given if value}
    found = [] if unchecked else look_at(Host(host, options))
    file = hosts.add(root(), host, options, local=local)
    if json:
        print_json("host.add", {"host": host, "file": file})
    else:
        show(host, found)
        say(f"{host} is in {file}: `mlctl run --on {host}` runs stages there")
    return 0
