"""The columns of a report's page: the worst ones large, all in a table."""

from __future__ import annotations

from mlctl.monitoring.report.words import METRIC_NAMES, missing_text, q_text, remarks
from mlctl.monitoring.results import ColumnReport, Distribution, MonitorReport
from mlctl.reports import html, plots
from mlctl.reports.markup import Html, element, join
from mlctl.reports.scales import short

PAGE_COLUMNS = 250  # a page of more would be slow; the JSON has them all
_WORST = 4
_TONES = {"drift": "bad", "ok": "good", "insufficient": "unsure"}


def worst_columns(report: MonitorReport) -> list[Html]:
    """The distributions of the worst columns that drifted, large."""
    drifted = [c for c in report.columns if c.state == "drift" and c.distribution is not None]
    return [_large(column) for column in drifted[:_WORST]]


def columns_table(report: MonitorReport) -> Html:
    """All columns, each with its distribution."""
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


def _large(column: ColumnReport) -> Html:
    plot = column.distribution
    assert plot is not None  # noqa: S101 - the caller has asked
    labels = list(plot.labels) or _bin_labels(plot)
    said = "; ".join(filter(None, (f"effect {short(column.effect, 3)}", remarks(column))))
    drawing = plots.distributions(
        labels, plot.reference, plot.current, x_label=column.name if plot.ends else "",
        title=f"{column.name}: reference and current",
    )  # fmt: skip
    return html.figure(drawing, column.name, said)


def _bin_labels(plot: Distribution) -> list[str]:
    if plot.ends is None:
        return []
    low, high = plot.ends
    width = (high - low) / len(plot.reference)
    return [short(low + width * (at + 0.5), 3) for at in range(len(plot.reference))]


def _row(column: ColumnReport) -> list[object]:
    name = element("strong", column.name)
    said = remarks(column)
    change = abs(column.missing[1] - column.missing[0])
    effect, q = column.effect, column.q
    kind = column.kind if column.role == "feature" else f"{column.kind}, {column.role}"
    return [
        html.Cell(join([name, element("div", said, class_="note")]) if said else name, column.name),
        kind,
        html.badge(column.state, _TONES[column.state]),
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
    return plots.small_distributions(plot.reference, plot.current, ends=ends, title=said)


def _metrics(column: ColumnReport) -> Html:
    shown = [(METRIC_NAMES.get(n, n), v) for n, v in column.metrics.items() if n not in _EFFECTS]
    lines = [element("div", f"{name} {value:.3f}") for name, value in shown]
    return element("div", *lines, class_="small")


_EFFECTS = ("ks", "jensen_shannon")  # shown as the effect
