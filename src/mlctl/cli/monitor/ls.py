"""`mlctl monitor ls`: the monitors and what they found last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.monitoring.listing import MonitorEntry

app = typer.Typer()


@app.command()
def ls(directory: Directory = None, json: Json = False) -> int:
    """List the monitors, each with its latest committed report.

    Examples:

        $ mlctl monitor ls
    """
    from mlctl.cli._output import print_json, say
    from mlctl.monitoring.listing import list_monitors
    from mlctl.store.config import find_root

    entries = list_monitors(find_root("."))
    if json:
        found = [
            {
                "name": entry.spec.name,
                "reference": entry.reference,
                "current": entry.spec.current.label,
                "reports": entry.reports,
                "period": entry.latest.period if entry.latest else None,
                "verdict": entry.latest.verdict if entry.latest else None,
                "alarm": entry.latest.alarm.state if entry.latest else None,
                "since": entry.latest.alarm.since or None if entry.latest else None,
            }
            for entry in entries
        ]
        print_json("monitor.ls", {"monitors": found})
        return 0
    if not entries:
        say("no monitor yet: `mlctl monitor init NAME` proposes one from data")
        return 0
    _show(entries)
    return 0


def _show(entries: Sequence[MonitorEntry]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console
    from mlctl.cli.monitor._show import RICH_STYLES
    from mlctl.monitoring.report.words import alarm_text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("monitor", "current", "periods", "latest", "verdict", "drifted", "alarm", "since"):
        table.add_column(name, justify="right" if name in {"periods", "drifted"} else "left")
    for entry in entries:
        latest = entry.latest
        if latest is None:
            table.add_row(entry.spec.name, Text(entry.spec.current.label), "0", *["–"] * 5)
            continue
        table.add_row(
            entry.spec.name,
            Text(entry.spec.current.label),
            str(entry.reports),
            latest.period,
            Text(latest.verdict, style=RICH_STYLES[latest.verdict]),
            str(latest.counts.get("drift", 0)),
            Text(alarm_text(latest), style="bold red" if latest.alarm.state == "raised" else ""),
            latest.alarm.since or "–",
        )
    console().print(table)
