"""A monitor's history as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator

from mlctl.monitoring.report.history import History, Line, most_drifted
from mlctl.monitoring.report.words import alarm_text, headline
from mlctl.monitoring.results import MonitorReport
from mlctl.reports import html, plots
from mlctl.reports.markup import Html, element, join
from mlctl.reports.plots import Series

_TONES = {"drift": "bad", "degraded": "bad", "ok": "good", "insufficient": "unsure"}
_MOST = 40  # periods of the heat table, the latest
_STYLE = """
.days{display:flex;flex-wrap:wrap;gap:3px;margin:0 0 10px}
.days i{width:15px;height:26px;border-radius:3px;background:var(--grid)}
.days .good{background:var(--good)}.days .bad{background:var(--bad)}
.days .unsure{background:var(--unsure);opacity:.5}
""".strip().replace("\n", "")


def to_page(found: History) -> str:
    """The whole page."""
    reports = found.reports
    span = f"{reports[0].period} to {reports[-1].period}" if reports else "no report yet"
    return html.page(
        f"{found.monitor}: history", span, _sections(found), style=_STYLE,
        footer=f"mlctl monitor history {found.monitor}",
    )  # fmt: skip


def _sections(found: History) -> Iterator[html.Section]:
    if not found.reports:
        return
    yield html.Section("Verdicts", _verdicts(found.reports))
    yield html.Section(
        "Over time", html.grid(_figure(line) for line in found.lines), "Marked: a new level begins."
    )
    heat = _heat(found)
    if heat:
        yield html.Section("Effects by column", heat, "Those that drifted most often.")
    yield html.Section("Periods", _table(found.reports))


def _verdicts(reports: tuple[MonitorReport, ...]) -> Html:
    days = [
        element("i", class_=_TONES[report.verdict], title=f"{report.period}: {headline(report)}")
        for report in reports
    ]
    last = reports[-1]
    bad = sum(_TONES[report.verdict] == "bad" for report in reports)
    said = f"{bad} of {len(reports)} periods were bad. Now: {headline(last)}."
    return join([element("div", *days, class_="days"), html.paragraph(said)])


def _figure(line: Line) -> Html:
    it = line.series
    places = list(range(len(it.periods)))
    drawn = [Series(it.name, places, it.values)]
    if line.estimated is not None:
        drawn.append(Series("estimated", places, line.estimated.values))
    if line.changes:
        at = [it.periods.index(period) for period in line.changes]
        drawn.append(Series("new level", at, [it.values[place] for place in at]))
    plot = plots.lines(drawn, x_names=list(it.periods), y_label="", title=it.name)
    since = f"new level from {', '.join(line.changes)}" if line.changes else ""
    return html.figure(plot, it.name, since)


def _heat(found: History) -> Html | None:
    reports = found.reports[-_MOST:]
    names = most_drifted(reports)
    if not names or len(reports) < 2:
        return None
    by_period = [{c.name: c.effect for c in report.columns} for report in reports]
    values = [[effects.get(name) for effects in by_period] for name in names]
    return plots.heat(
        names, [report.period[-5:] for report in reports], values, title="effects", width=1000
    )


def _table(reports: tuple[MonitorReport, ...]) -> Html:
    rows = [
        [
            element("strong", report.period),
            html.badge(report.verdict, _TONES[report.verdict]),
            alarm_text(report),
            report.counts.get("drift", 0),
            report.current.rows,
            report.labels.mark if report.labels else "",
            report.revision,
            headline(report),
        ]
        for report in reversed(reports)
    ]
    heads = ["period", "verdict", "alarm", "drifted", "rows", "labels", "revision", "what"]
    return html.table(heads, rows)
