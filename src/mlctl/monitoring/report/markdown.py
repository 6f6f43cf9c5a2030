"""A report as Markdown, for a pull request or an issue. Drawn from the report alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlctl.monitoring.report.words import (
    alarm_text,
    estimate_text,
    headline,
    missing_text,
    percent,
    q_text,
    remarks,
    rule,
    score_text,
)
from mlctl.monitoring.results import ColumnReport, MonitorReport
from mlctl.reports import markdown
from mlctl.reports.markdown import Raw, code, escape
from mlctl.reports.scales import short

__all__ = ["headline", "to_markdown"]
_SHOWN = 12  # columns that are not folded away: at least those that drifted
_HEADS = ["column", "kind", "effect", "q", "state", "missing", "remarks"]


def to_markdown(report: MonitorReport) -> str:
    """The verdict, what explains it, scores, columns (the worst first), and how it was judged."""
    return "\n".join(_parts(report))


def _parts(report: MonitorReport) -> Iterator[str]:
    yield f"# {escape(report.monitor)}, {escape(report.period)}: {report.verdict}\n"
    yield f"**{escape(_capital(headline(report)))}.** Alarm: {escape(alarm_text(report))}.\n"
    if report.causes:
        yield "What explains it:\n"
        yield "\n".join(f"{n}. {escape(c.text)}" for n, c in enumerate(report.causes, 1)) + "\n"
    yield from _scores(report)
    yield from _columns(report)
    yield from _slices(report)
    yield from _joint(report)
    if report.findings:
        yield "## Findings\n"
        yield "\n".join(f"- {f.severity}: {escape(f.text)}" for f in report.findings) + "\n"
    yield from _compat(report)
    yield "## Data\n"
    sides = [
        [
            name,
            Raw(code(ref.path)),
            ref.files,
            ref.rows,
            Raw(code(ref.digest)) if ref.digest else "",
        ]
        for name, ref in (("reference", report.reference), ("current", report.current))
    ]
    yield markdown.table(["data", "path", "files", "rows", "digest"], sides, right="  rr ")
    yield f"{escape(rule(report))}\n"


def _scores(report: MonitorReport) -> Iterator[str]:
    if not report.scores:
        return
    yield "## Performance\n"
    if report.labels is not None:
        it = report.labels
        yield f"Labels: {it.known:,} of {it.rows:,} known, so the numbers are **{it.mark}**.\n"
    rows = [
        [
            score.metric,
            Raw(f"**{score.state}**" if score.state == "degraded" else score.state),
            score_text(score),
            short(score.limit, 3),
            short(score.reference, 3),
            score.mark,
            score.rows,
            "; ".join(filter(None, (estimate_text(score), score.note))),
        ]
        for score in report.scores
    ]
    heads = ["metric", "state", "value", "limit", "reference", "mark", "rows", "before labels"]
    yield markdown.table(heads, rows, right="  rrr r ")
    assumptions = {s.estimate.assumption for s in report.scores if s.estimate is not None}
    if assumptions:
        yield "\n".join(f"*{escape(text)}*" for text in sorted(assumptions)) + "\n"


def _columns(report: MonitorReport) -> Iterator[str]:
    if not report.columns:
        return
    bad = sum(column.state == "drift" for column in report.columns)
    shown = max(bad, _SHOWN) if bad <= 40 else 40
    yield "## Columns\n"
    yield _table(report.columns[:shown])
    rest = report.columns[shown:]
    if rest:
        head = f"<details><summary>{len(rest)} milder columns</summary>"
        yield f"{head}\n\n{_table(rest)}\n</details>\n"
    if report.omitted:
        yield f"{report.omitted} milder columns are left out.\n"


def _table(columns: Sequence[ColumnReport]) -> str:
    rows = [
        [
            Raw(code(column.name)),
            column.kind if column.role == "feature" else f"{column.kind}, {column.role}",
            short(column.effect, 3),
            q_text(column.q),
            Raw(f"**{column.state}**" if column.state == "drift" else column.state),
            missing_text(column),
            remarks(column),
        ]
        for column in columns
    ]
    return markdown.table(_HEADS, rows, right="  rr r ")


def _slices(report: MonitorReport) -> Iterator[str]:
    if not report.slices:
        return
    yield "## Slices\n"
    rows = [
        [
            part.name,
            part.rows,
            Raw(f"**{part.state}**" if part.state == "drift" else part.state),
            ", ".join(f"{name} ({effect:.2f})" for name, effect, _ in part.drifted) or part.note,
            ", ".join(f"{name} {short(value, 3)}" for name, value in part.scores.items()),
        ]
        for part in report.slices
    ]
    yield markdown.table(["slice", "rows", "state", "drifted", "scores"], rows, right=" r   ")


def _joint(report: MonitorReport) -> Iterator[str]:
    if not report.joint:
        return
    yield "## Columns together\n"
    rows = [
        [
            test.metric,
            test.state,
            short(test.value, 3),
            short(test.limit, 3),
            q_text(test.q),
            ", ".join(test.columns[:5]),
            test.note,
        ]
        for test in report.joint
    ]
    heads = ["test", "state", "value", "limit", "q", "most of all", "remarks"]
    yield markdown.table(heads, rows, right="  rrr  ")


def _compat(report: MonitorReport) -> Iterator[str]:
    if report.compat is None:
        return
    it = report.compat
    drifted = sum(column.drift for column in it.columns)
    yield f"## What {it.tool} would say\n"
    said = "drift" if it.drift else "no drift"
    share = percent(drifted / len(it.columns)) if it.columns else "0 %"
    yield f"{said}: {drifted} of {len(it.columns)} columns ({share}).\n"
    rows = [
        [
            Raw(code(c.name)),
            c.method,
            short(c.value, 4),
            short(c.limit, 4),
            "drift" if c.drift else "",
            c.note,
        ]
        for c in it.columns
    ]
    yield markdown.table(
        ["column", "method", "value", "limit", "", "remarks"], rows, right="  rr  "
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
