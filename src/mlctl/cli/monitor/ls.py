"""`mlctl monitor ls`: the monitors and what they found last."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def ls(directory: Directory = None, json: Json = False) -> int:
    """List the monitors, each with its latest committed report.

    Examples:

        $ mlctl monitor ls
    """
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console, print_json, say
    from mlctl.cli.monitor._show import RICH_STYLES
    from mlctl.monitoring.monitor import list_monitors
    from mlctl.store.config import find_root

    entries = list_monitors(find_root("."))
    if json:
        found = [
            {
                "name": entry.spec.name,
                "reference": entry.spec.reference,
                "current": entry.spec.current,
                "reports": entry.reports,
                "period": entry.latest.period if entry.latest else None,
                "verdict": entry.latest.verdict if entry.latest else None,
            }
            for entry in entries
        ]
        print_json("monitor.ls", {"monitors": found})
        return 0
    if not entries:
        say("no monitor yet: describe one in monitors/<name>.yaml")
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("monitor", "current", "reports", "latest", "verdict", "drifted"):
        table.add_column(name, justify="right" if name in {"reports", "drifted"} else "left")
    for entry in entries:
        latest = entry.latest
        verdict = Text(latest.verdict, style=RICH_STYLES[latest.verdict]) if latest else Text("–")
        table.add_row(
            entry.spec.name,
            Text(entry.spec.current),
            str(entry.reports),
            latest.period if latest else "–",
            verdict,
            str(latest.counts.get("drift", 0)) if latest else "–",
        )
    console().print(table)
    return 0
