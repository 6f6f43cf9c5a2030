"""How a monitor's report looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlctl.monitoring.record import MonitorReport

STYLES = {"drift": "1;31", "ok": "32", "insufficient": "33"}
RICH_STYLES = {"drift": "bold red", "ok": "green", "insufficient": "yellow"}
SHOWN = 12


def show_table(report: MonitorReport, *, everything: bool = False) -> None:
    """The columns as a table, the worst first; at most 12 unless `everything`."""
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console, say
    from mlctl.cli._text import width
    from mlctl.monitoring.render import missing_text, q_text, remarks
    from mlctl.reports.scales import short

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    for name in ("column", "kind", "effect", "q", "state", "missing", ""):
        right = name in {"effect", "q", "missing"}
        table.add_column(name, justify="right" if right else "left", no_wrap=bool(name))
    shown = report.columns if everything else report.columns[:SHOWN]
    for column in shown:
        table.add_row(
            Text(column.name),
            column.kind,
            short(column.effect, 3),
            q_text(column.q),
            Text(column.state, style=RICH_STYLES[column.state]),
            missing_text(column),
            Text(remarks(column), style="dim"),
        )
    if shown:
        out = console()
        if width() is None:
            out.width = 160  # a pipe has no width: lines stay whole
        out.print(table)
    left = len(report.columns) - len(shown)
    if left:
        say(f"  … and {left} milder columns (-v shows all)")
    if report.new_columns:
        say(f"  only in the current data: {', '.join(report.new_columns[:SHOWN])}")


def show_verdict(report: MonitorReport, ending: str = "") -> None:
    """`adult  2026-05-01  drift: 3 of 14 columns drifted: age, …`."""
    from mlctl.cli._output import say, styled
    from mlctl.monitoring.render import verdict_line

    words = styled(report.verdict, STYLES[report.verdict])
    line = verdict_line(report)
    say(f"{styled(report.monitor, '1')}  {report.period}  {words}: {line}{ending}")
