"""`mlctl host gc`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.host._common import HostName

app = typer.Typer()


@app.command()
def gc(
    host: HostName,
    days: Annotated[
        float,
        typer.Option("--days", metavar="N", min=0, help="Keep what was used in the last N days."),
    ] = 7.0,
    dry: Annotated[
        bool, typer.Option("--dry-run", "--dry", help="Only say what would go.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Remove from a host what is no longer needed there.

    Jobs go that have ended and whose outs are fetched, and objects that no other job needs. What
    runs, waits, or was not fetched yet stays.

    Examples:

        $ mlctl host gc gpubox --dry-run

        $ mlctl host gc gpubox --days 0
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.host._common import root
    from mlctl.projects.hosts import open_host

    done = open_host(root(), host).call("gc", days=days, dry=dry)
    if json:
        print_json("host.gc", {"host": host, "dry": dry, **done})
    else:
        verb = "would remove" if dry else "removed"
        size = f"{done['bytes'] / 1e6:.1f} MB"
        counts = f"{len(done['jobs'])} jobs, {done['objects']} objects ({size})"
        say(f"{verb} {counts} and {done['environments']} environments")
    return 0
