"""How a monitor's reports look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlctl.monitoring.results import MonitorReport
    from mlctl.monitoring.running import MonitorRun

STYLES = {"drift": "1;31", "degraded": "1;31", "ok": "32", "insufficient": "33"}
RICH_STYLES = {
    "drift": "bold red",
    "degraded": "bold red",
    "ok": "green",
    "insufficient": "yellow",
}
SHOWN = 12


def show_run(done: MonitorRun, *, quiet: bool = False, verbose: bool = False) -> None:
    """A line for each period that was looked at, and the newest one's columns under it."""
    from mlctl.cli._output import say, styled

    shown = [p for p in done.periods if not quiet or p.report.verdict != "ok"]
    for period in shown:
        note = "" if period.changed else styled("  (unchanged)", "2")
        revised = period.report.revision > 1 and period.changed
        show_verdict(period.report, styled("  (revised)", "2") if revised else note)
    if done.going_on and not quiet:
        say(styled(f"{done.going_on} is not over yet (--unfinished looks at it)", "2"))
    if not done.periods or quiet:
        return
    newest = done.periods[-1]
    say()
    show_report(newest.report, everything=verbose)
    page = next(path for path in newest.paths if path.endswith(".html"))
    say(styled(f"  report: {page}", "2"))


def show_report(report: MonitorReport, *, everything: bool = False) -> None:
    """Causes, scores, columns (the worst 12 unless `everything`) and findings."""
    from mlctl.cli._output import say, styled

    for cause in report.causes:
        say(f"  because  {cause.text}")
    if report.scores:
        show_scores(report)
    show_table(report, everything=everything)
    bad = [part for part in report.slices if part.state == "drift"]
    for part in bad[:SHOWN]:
        names = ", ".join(name for name, _, _ in part.drifted)
        say(f"  {styled('slice', '1;31')}  {part.name}: {names}")
    for test in report.joint:
        style = STYLES[test.state]
        said = test.note or f"{test.value:.3g}, limit {test.limit:.3g}"
        say(f"  {test.metric}  {styled(test.state, style)}  {said}")
    for finding in report.findings[: None if everything else SHOWN]:
        style = {"error": "1;31", "warning": "33", "info": "2"}[finding.severity]
        say(f"  {styled(finding.severity, style)}: {finding.text}")


def show_scores(report: MonitorReport) -> None:
    """The model's metrics, each with its interval and whether it is an estimate."""
    from rich.table import Table
    from rich.text import Text

    from mlctl.monitoring.report.words import estimate_text, score_text
    from mlctl.reports.scales import short

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    for name in ("metric", "value", "mark", "limit", "reference", "state", "before labels"):
        right = name in {"value", "limit", "reference"}
        table.add_column(name, justify="right" if right else "left")
    styles = {"degraded": "bold red", "ok": "green", "insufficient": "yellow"}
    for score in report.scores:
        table.add_row(
            score.metric,
            score_text(score),
            score.mark,
            short(score.limit, 3),
            short(score.reference, 3),
            Text(score.state, style=styles[score.state]),
            Text("; ".join(filter(None, (estimate_text(score), score.note))), style="dim"),
        )
    _print(table)


def show_table(report: MonitorReport, *, everything: bool = False) -> None:
    """The columns as a table, the worst first; at most 12 unless `everything`."""
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import say
    from mlctl.monitoring.report.words import missing_text, q_text, remarks
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
        _print(table)
    left = len(report.columns) - len(shown) + report.omitted
    if left:
        say(f"  … and {left} milder columns (-v shows all)")


def show_verdict(report: MonitorReport, ending: str = "") -> None:
    """`adult  2026-05-01  drift: 3 of 14 columns drifted: age, …; since 2026-04-30`."""
    from mlctl.cli._output import say, styled
    from mlctl.monitoring.report.words import alarm_text, headline

    words = styled(report.verdict, STYLES[report.verdict])
    muted = f"  [{alarm_text(report)}]" if report.alarm.state == "muted" else ""
    line = f"{styled(report.monitor, '1')}  {report.period}  {words}: {headline(report)}"
    say(f"{line}{muted}{ending}")


def _print(table: object) -> None:
    from mlctl.cli._output import console
    from mlctl.cli._text import width

    out = console()
    if width() is None:
        out.width = 160  # a pipe has no width: lines stay whole
    out.print(table)
