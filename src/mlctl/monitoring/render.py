"""A monitor's report as Markdown and as an HTML page, drawn from the report alone."""

from __future__ import annotations

from mlctl.monitoring.judge import ColumnReport, Distribution
from mlctl.monitoring.record import DataRef, MonitorReport
from mlctl.reports import html, markdown
from mlctl.reports.markup import Html, element, join
from mlctl.reports.plots import small_distributions
from mlctl.reports.scales import short

TONES = {"drift": "bad", "ok": "good", "insufficient": "unsure"}
PAGE_COLUMNS = 250  # a page of more would be slow; the JSON has them all
METRIC_NAMES = {
    "wasserstein": "W₁/σ",
    "psi": "PSI",
    "chi_square": "Cramér’s V",
}


def verdict_line(report: MonitorReport) -> str:
    """The verdict in one sentence: `3 of 20 columns drifted: a, b, c`."""
    total = sum(report.counts.values())
    drifted = [column.name for column in report.columns if column.state == "drift"]
    unsure = report.counts.get("insufficient", 0)
    ending = f"; {unsure} could not be judged" if unsure else ""
    if report.counts.get("drift"):
        names = ", ".join(drifted[:5]) + (", …" if len(drifted) > 5 else "")
        few = ""
        if report.verdict != "drift" and report.thresholds.share is not None:
            few = f", fewer than the share of {report.thresholds.share:g} that counts"
        return f"{report.counts['drift']} of {total} columns drifted: {names}{few}{ending}"
    if report.verdict == "insufficient":
        return f"not enough to judge any of {total} columns"
    return f"no drift in {report.counts.get('ok', 0)} of {total} columns{ending}"


def to_markdown(report: MonitorReport) -> str:
    """The report for a pull request: the verdict, and a table, the worst columns first."""
    rows = [
        [
            _code(column.name),
            column.kind,
            short(column.effect, 3),
            q_text(column.q),
            markdown.Raw(f"**{column.state}**" if column.state == "drift" else column.state),
            missing_text(column),
            remarks(column),
        ]
        for column in report.columns
    ]
    heads = ["column", "kind", "effect", "q", "state", "missing", "remarks"]
    sides = [
        [
            name,
            _code(ref.path),
            ref.rows,
            _code(ref.digest),
        ]
        for name, ref in (("reference", report.reference), ("current", report.current))
    ]
    parts = [
        f"# Drift: {markdown.escape(report.monitor)}, {markdown.escape(report.period)}\n",
        f"**{report.verdict}**: {markdown.escape(verdict_line(report))}.\n",
        markdown.table(["data", "path", "rows", "digest"], sides, right="  r"),
        markdown.table(heads, rows, right="  rr r"),
    ]
    if report.omitted:
        parts.append(f"{report.omitted} milder columns are left out.\n")
    if report.new_columns:
        names = ", ".join(markdown.code(name) for name in report.new_columns)
        parts.append(f"Only in the current data: {names}.\n")
    parts.append(markdown.escape(_rule(report)) + "\n")
    return "\n".join(parts)


def to_html(report: MonitorReport) -> str:
    """The report as one self-contained page."""
    figures = {
        "verdict": html.badge(report.verdict, TONES[report.verdict]),
        "drifted": report.counts.get("drift", 0),
        "ok": report.counts.get("ok", 0),
        "not judged": report.counts.get("insufficient", 0),
        "current rows": report.current.rows,
        "reference rows": report.reference.rows,
    }
    summary = join([html.cards(figures), html.paragraph(verdict_line(report), ".")])
    sections = [
        html.Section("Verdict", summary),
        html.Section("Columns", _columns(report), "The worst first. " + _rule(report)),
        html.Section("Data", _data(report)),
    ]
    subtitle = f"{report.period} · {report.current.path} against {report.reference.path}"
    footer = join(["mlctl monitor run ", report.monitor, " · ", html.code(report.digest[:19])])
    return html.page(f"Drift: {report.monitor}", subtitle, sections, footer=footer)


def q_text(q: float | None) -> str:
    if q is None:
        return "–"
    return "<0.001" if q < 0.001 else f"{q:.3f}"


def missing_text(column: ColumnReport) -> str:
    """`0 %`, or `1.0 % → 7.5 %` where it changed."""
    before, after = (
        f"{share:.1%}".replace(".0%", "%").replace("%", " %") for share in column.missing
    )
    return before if before == after else f"{before} → {after}"


def remarks(column: ColumnReport) -> str:
    """What a table's columns do not say."""
    words = [column.note] if column.note else []
    if column.new_categories:
        words.append(f"{column.new_categories:.1%} in new categories")
    if "missing" in column.reasons and column.missing[1] < 1:
        words.append(f"missing values changed (q {q_text(column.missing_q)})")
    return "; ".join(words)


def _code(value: str) -> markdown.Raw:
    return markdown.Raw(markdown.code(value))


def _columns(report: MonitorReport) -> Html:
    heads = ["column", "kind", "state", "effect", "q", "missing", "distribution", "other metrics"]
    table = html.table(heads, [_row(column) for column in report.columns[:PAGE_COLUMNS]])
    left = report.omitted + max(0, len(report.columns) - PAGE_COLUMNS)
    more = html.paragraph(f"{left} milder columns are left out.") if left else ""
    key = element(
        "p",
        element("span", element("i", style="background:var(--c1);opacity:.4"), "reference"),
        element("span", element("i", style="background:var(--c2)"), "current"),
        class_="key note",
    )
    return join([key, table, more])


def _row(column: ColumnReport) -> list[object]:
    name = element("strong", column.name)
    said = remarks(column)
    change = abs(column.missing[1] - column.missing[0])
    effect, q = column.effect, column.q
    return [
        html.Cell(join([name, element("div", said, class_="note")]) if said else name, column.name),
        column.kind,
        html.badge(column.state, TONES[column.state]),
        html.Cell(short(effect, 3), -1 if effect is None else effect, right=True),
        html.Cell(q_text(q), 2 if q is None else q, right=True),
        html.Cell(missing_text(column), round(change, 6), right=True),
        _drawing(column.distribution),
        _metrics(column),
    ]


def _drawing(plot: Distribution | None) -> Html:
    if plot is None:
        return Html("")
    if plot.ends:
        ends = short(plot.ends[0], 3), short(plot.ends[1], 3)
    else:
        ends = plot.labels[0], plot.labels[-1] if len(plot.labels) > 1 else ""
    pairs = zip(plot.labels, plot.reference, plot.current, strict=False)
    said = ", ".join(f"{label}: {before:.0%} → {after:.0%}" for label, before, after in pairs)
    return small_distributions(plot.reference, plot.current, ends=ends, title=said)


def _metrics(column: ColumnReport) -> Html:
    shown = [(METRIC_NAMES[n], v) for n, v in column.metrics.items() if n in METRIC_NAMES]
    lines = [element("div", f"{name} {value:.3f}") for name, value in shown]
    return element("div", *lines, class_="small")


def _data(report: MonitorReport) -> Html:
    sides = (("reference", report.reference), ("current", report.current))
    rows = [_side(name, ref) for name, ref in sides]
    table = html.table(["data", "path", "files", "rows", "digest"], rows, sort=False)
    if not report.new_columns:
        return table
    names = join([html.code(name) for name in report.new_columns], ", ")
    return join([table, html.paragraph("Only in the current data: ", names)])


def _side(name: str, ref: DataRef) -> list[object]:
    return [name, html.code(ref.path), ref.files, ref.rows, html.code(ref.digest)]


def _rule(report: MonitorReport) -> str:
    limits = report.thresholds
    return (
        f"A column drifts where its effect (KS distance, or Jensen-Shannon distance of categories) "
        f"is at least {limits.effect:g}, or the share of missing values changes by at least "
        f"{limits.missing:g}, and the q-value over all columns (Benjamini-Hochberg) is at most "
        f"{limits.q:g}. Fewer than {report.min_rows} values are not judged."
    )
