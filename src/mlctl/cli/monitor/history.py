"""`mlctl monitor history`: a monitor over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.monitoring.report.history import History, Line

app = typer.Typer()
_BARS = "▁▂▃▄▅▆▇█"


@app.command()
def history(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The monitor.")],
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME", help="Also the effect of this column."),
    ] = None,
    last: Annotated[
        int, typer.Option("-n", "--last", metavar="N", min=1, help="The last N periods.")
    ] = 60,
    page: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write it as a page.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Show how a monitor's verdicts, drift and scores went, and where they took a new level.

    Reads committed reports only.

    Examples:

        $ mlctl monitor history requests

        $ mlctl monitor history requests --column age --html history.html
    """
    from mlctl.adapters import files
    from mlctl.cli._output import print_json, say
    from mlctl.monitoring.report import committed, history_page
    from mlctl.monitoring.report.history import history as make
    from mlctl.monitoring.running import load_monitor
    from mlctl.store.config import find_root

    root = find_root(".")
    load_monitor(root, name)
    found = make(name, committed.latest(root, name, last), columns=columns or [])
    if page is not None:
        files.write_text(page, history_page.to_page(found))
    if json:
        print_json("monitor.history", _as_json(found))
        return 0
    if not found.reports:
        say(f"no report yet: run `mlctl monitor run {name}`")
        return 0
    _show(found)
    if page is not None:
        say(f"page: {page}")
    return 0


def _as_json(found: History) -> dict[str, object]:
    return {
        "monitor": found.monitor,
        "periods": [
            {
                "period": report.period,
                "verdict": report.verdict,
                "alarm": report.alarm.state,
                "revision": report.revision,
                "labels": report.labels.mark if report.labels else None,
            }
            for report in found.reports
        ],
        "series": [
            {
                "name": line.series.name,
                "values": line.series.values,
                "estimated": line.estimated.values if line.estimated else None,
                "changes": line.changes,
            }
            for line in found.lines
        ],
    }


def _show(found: History) -> None:
    from mlctl.cli._output import say, styled

    marks = {"ok": ("·", "32"), "insufficient": ("?", "33")}
    cells = [marks.get(r.verdict, ("█", "31")) for r in found.reports]
    first, last = found.reports[0].period, found.reports[-1].period
    width = max(len(line.series.name) for line in found.lines)
    say(f"{'':<{width}}  {first} … {last}")
    say(f"{'verdict':<{width}}  {''.join(styled(mark, style) for mark, style in cells)}")
    for line in found.lines:
        say(f"{line.series.name:<{width}}  {_drawn(line)}")
    revised = [r.period for r in found.reports if r.revision > 1]
    if revised:
        say(styled(f"revised: {', '.join(revised[-5:])}", "2"))
    say(styled("· ok  █ bad  ? not enough to judge", "2"))


def _drawn(line: Line) -> str:
    """The curve in a line of characters, its range, and where a new level starts."""
    from mlctl.reports.scales import short

    values = line.series.values
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    low, high = min(known), max(known)
    top = len(_BARS) - 1
    bars = [
        " " if v is None else _BARS[round((v - low) / (high - low) * top) if high > low else 0]
        for v in values
    ]
    changes = f"  new level from {', '.join(line.changes)}" if line.changes else ""
    return (
        f"{''.join(bars)}  {short(low, 3)} to {short(high, 3)}, now {short(known[-1], 3)}{changes}"
    )
