"""A report as one self-contained HTML page, drawn from the report alone.

Whoever opens it sees first what is wrong, and since when; then what explains it.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlctl.monitoring.report.page_columns import columns_table, worst_columns
from mlctl.monitoring.report.words import (
    alarm_text,
    estimate_text,
    headline,
    percent,
    q_text,
    rule,
    score_text,
    since,
)
from mlctl.monitoring.results import DataRef, MonitorReport, Score
from mlctl.reports import html
from mlctl.reports.markup import Html, element, join
from mlctl.reports.scales import short

TONES = {"drift": "bad", "degraded": "bad", "ok": "good", "insufficient": "unsure"}
_VERDICTS = {
    "drift": "Drift",
    "degraded": "The model got worse",
    "ok": "Nothing unusual",
    "insufficient": "Not enough to judge",
}
_STYLE = """
.verdict{border-left:6px solid var(--muted)}.verdict.bad{border-left-color:var(--bad)}
.verdict.good{border-left-color:var(--good)}.verdict.unsure{border-left-color:var(--unsure)}
.verdict.bad,.verdict.good,.verdict.unsure{color:var(--ink)}
.verdict h2{font-size:22px;margin:0 0 6px}.verdict.bad h2{color:var(--bad)}
.verdict .said{font-size:17px;margin:0 0 12px}
.bar{background:var(--head);border-radius:4px;height:8px;width:160px;max-width:100%}
.bar i{display:block;height:8px;border-radius:4px;background:var(--c2)}
""".strip().replace("\n", "")


def to_html(report: MonitorReport) -> str:
    """The whole page."""
    return html.page(
        f"{report.monitor}: {report.period}",
        f"{report.current.path} against {report.reference.path}",
        _sections(report),
        above=_verdict(report),
        footer=join(["mlctl monitor run ", report.monitor, " · ", html.code(report.digest[:19])]),
        style=_STYLE,
    )


def _verdict(report: MonitorReport) -> Html:
    tone = TONES[report.verdict]
    when = since(report)
    head = _VERDICTS[report.verdict] + (f" {when}" if when and tone == "bad" else "")
    figures: dict[str, object] = {
        "verdict": html.badge(report.verdict, tone),
        "alarm": html.badge(alarm_text(report), "bad" if report.alarm.state == "raised" else ""),
        "drifted": f"{report.counts.get('drift', 0)} of {sum(report.counts.values())}",
    }
    for score in report.scores[:3]:
        name = score.metric + ("" if score.mark == "final" else f" ({score.mark})")
        figures[name] = short(score.value, 3)
    figures["rows"] = report.current.rows
    said = headline(report)
    return element(
        "section",
        element("h2", head),
        element("p", said[:1].upper() + said[1:], ".", class_="said"),
        html.cards(figures),
        class_=f"verdict {tone}",
    )


def _sections(report: MonitorReport) -> Iterator[html.Section]:
    if report.causes:
        yield html.Section("What explains it", _causes(report))
    if report.scores:
        yield html.Section("Performance", _performance(report), _labels(report))
    worst = worst_columns(report)
    if worst:
        yield html.Section("What drifted most", html.grid(worst))
    if report.columns:
        yield html.Section("Columns", columns_table(report), "The worst first. " + rule(report))
    if report.slices:
        yield html.Section("Slices", _slices(report))
    if report.joint:
        yield html.Section("Columns together", _joint(report))
    if report.findings:
        yield html.Section("Findings", _findings(report))
    if report.compat is not None:
        yield html.Section(f"What {report.compat.tool} would say", _compat(report))
    yield html.Section("Data", _data(report))


def _causes(report: MonitorReport) -> Html:
    rows = [
        [
            cause.text,
            html.Cell(
                element("div", element("i", style=f"width:{cause.share:.0%}"), class_="bar"),
                round(cause.share, 4),
            ),
            percent(cause.share),
        ]
        for cause in report.causes
    ]
    return html.table(["cause", "part of it", ""], rows, sort=False)


def _labels(report: MonitorReport) -> str:
    if report.labels is None:
        return ""
    it = report.labels
    return f"{it.known:,} of {it.rows:,} labels are known: the numbers are {it.mark}."


def _performance(report: MonitorReport) -> Html:
    heads = ["metric", "state", "value", "mark", "limit", "reference", "rows", "before labels came"]
    table = html.table(heads, [_score(score) for score in report.scores])
    assumptions = {s.estimate.assumption for s in report.scores if s.estimate is not None}
    notes = [element("p", text, class_="note") for text in sorted(assumptions)]
    return join([table, *notes])


def _score(score: Score) -> list[object]:
    tone = {"degraded": "bad", "ok": "good", "insufficient": "unsure"}[score.state]
    said = "; ".join(filter(None, (estimate_text(score), score.note)))
    return [
        element("strong", score.metric),
        html.badge(score.state, tone),
        html.Cell(score_text(score), -1 if score.value is None else score.value, right=True),
        score.mark,
        html.Cell(short(score.limit, 3), -1 if score.limit is None else score.limit, right=True),
        html.Cell(
            short(score.reference, 3),
            -1 if score.reference is None else score.reference,
            right=True,
        ),
        score.rows,
        element("span", said, class_="note"),
    ]


def _slices(report: MonitorReport) -> Html:
    rows = [
        [
            element("strong", part.name),
            part.rows,
            html.badge(part.state, TONES[part.state]),
            part.counts.get("drift", 0),
            ", ".join(f"{name} ({effect:.2f})" for name, effect, _ in part.drifted) or part.note,
            ", ".join(f"{name} {short(value, 3)}" for name, value in part.scores.items()),
        ]
        for part in report.slices
    ]
    return html.table(["slice", "rows", "state", "drifted", "columns", "scores"], rows)


def _joint(report: MonitorReport) -> Html:
    rows = [
        [
            test.metric,
            html.badge(test.state, TONES[test.state]),
            html.Cell(short(test.value, 3), -1 if test.value is None else test.value, right=True),
            html.Cell(short(test.limit, 3), test.limit, right=True),
            html.Cell(q_text(test.q), 2 if test.q is None else test.q, right=True),
            ", ".join(test.columns[:5]),
            test.note,
        ]
        for test in report.joint
    ]
    return html.table(["test", "state", "value", "limit", "q", "most of all", "remarks"], rows)


def _findings(report: MonitorReport) -> Html:
    tones = {"error": "bad", "warning": "unsure", "info": ""}
    rows = [[html.badge(f.severity, tones[f.severity]), f.text] for f in report.findings]
    return html.table(["", "finding"], rows, sort=False)


def _compat(report: MonitorReport) -> Html:
    assert report.compat is not None  # noqa: S101 - the caller has asked
    rows = [
        [
            element("strong", c.name),
            c.method,
            html.Cell(short(c.value, 4), -1 if c.value is None else c.value, right=True),
            html.Cell(short(c.limit, 4), -1 if c.limit is None else c.limit, right=True),
            html.badge("drift", "bad") if c.drift else "",
            c.note,
        ]
        for c in report.compat.columns
    ]
    return html.table(["column", "method", "value", "limit", "", "remarks"], rows)


def _data(report: MonitorReport) -> Html:
    sides = (("reference", report.reference), ("current", report.current))
    rows = [_side(name, ref) for name, ref in sides]
    return html.table(["data", "path", "files", "rows", "digest"], rows, sort=False)


def _side(name: str, ref: DataRef) -> list[object]:
    return [name, html.code(ref.path), ref.files, ref.rows, html.code(ref.digest)]
