"""`mlctl monitor alert`: tell people of incidents that they have not heard of."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def alert(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Monitors; default: all.")
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry", "--dry-run", help="Show what would be sent.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Send what is due: one message when an incident begins, and one when it ends.

    What was told stands in the incident's file, reports/monitoring/NAME/incidents, so that nobody
    hears of it twice; a message that fails is sent by the next run. Addresses come from the
    environment variables that the monitor names. Ends with 3 where a message was not sent.

    Examples:

        $ mlctl monitor alert --dry

        $ mlctl monitor alert requests
    """
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say
    from mlctl.cli.monitor._after import show_told
    from mlctl.monitoring.running import load_monitor, monitor_names
    from mlctl.monitoring.telling import tell
    from mlctl.store.config import find_root

    root = find_root(".")
    told = []
    for name in names or monitor_names(root):
        told += tell(root, load_monitor(root, name), dry=dry)
    if json:
        found = [
            {
                "monitor": it.incident.monitor,
                "since": it.incident.since,
                "channel": it.channel,
                "message": asdict(it.message),
                "error": it.error,
            }
            for it in told
        ]
        print_json("monitor.alert", {"dry": dry, "messages": found})
    elif dry:
        for it in told:
            say(f"to {it.channel}:\n\n{it.message.text}")
        if not told:
            say("nothing is due")
    else:
        show_told(told)
    return 3 if any(it.error for it in told) else 0
