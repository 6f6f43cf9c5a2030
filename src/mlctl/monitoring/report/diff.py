"""What changed between two reports of a monitor. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mlctl.monitoring.report.words import headline
from mlctl.monitoring.results import MonitorReport
from mlctl.reports import markdown
from mlctl.reports.markdown import Raw, code, escape
from mlctl.reports.scales import short

_ORDER = ("ok", "insufficient", "drift", "degraded")
_STATES = ("ok", "insufficient", "drift")


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column whose state changed, or whose effect did by a fifth and 0.05 at least."""

    name: str
    before: str
    after: str
    effect_before: float | None
    effect_after: float | None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A metric in both reports, or in one."""

    metric: str
    before: float | None
    after: float | None
    mark_before: str
    mark_after: str


@dataclass(frozen=True, slots=True)
class ReportDiff:
    """The report `b` against `a`. `worse` says that its verdict, a column or a score got worse."""

    a: MonitorReport
    b: MonitorReport
    columns: tuple[ColumnChange, ...]
    scores: tuple[ScoreChange, ...]
    worse: bool


def compare_reports(a: MonitorReport, b: MonitorReport) -> ReportDiff:
    """What is different in `b`, columns that drifted since first."""
    before = {column.name: column for column in a.columns}
    after = {column.name: column for column in b.columns}
    columns = []
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name), after.get(name)
        change = ColumnChange(
            name,
            old.state if old else "–",
            new.state if new else "–",
            old.effect if old else None,
            new.effect if new else None,
        )
        if change.before != change.after or _moved(change.effect_before, change.effect_after):
            columns.append(change)
    columns.sort(key=lambda c: (c.after != "drift", c.before == "drift", c.name))
    scores = _scores(a, b)
    degraded = {s.metric for s in b.scores if s.state == "degraded"}
    was = {s.metric for s in a.scores if s.state == "degraded"}
    worse = (
        _ORDER.index(b.verdict) > max(1, _ORDER.index(a.verdict))
        or any(c.after == "drift" and c.before != "drift" for c in columns)
        or bool(degraded - was)
    )
    return ReportDiff(a, b, tuple(columns), scores, worse)


def to_markdown(it: ReportDiff) -> str:
    """For a pull request."""
    a, b = it.a, it.b
    lines = [
        f"## {escape(b.monitor)}: {escape(_name(a))} → {escape(_name(b))}\n",
        f"- before: **{a.verdict}**, {escape(headline(a))}",
        f"- after: **{b.verdict}**, {escape(headline(b))}\n",
    ]
    if it.scores:
        rows = [
            [s.metric, _score(s.before, s.mark_before), _score(s.after, s.mark_after), _step(s)]
            for s in it.scores
        ]
        lines.append(markdown.table(["metric", "before", "after", ""], rows, right=" rrr"))
    if it.columns:
        cells = [
            [
                Raw(code(c.name)),
                c.before,
                Raw(f"**{c.after}**" if c.after == "drift" else c.after),
                short(c.effect_before, 3),
                short(c.effect_after, 3),
            ]
            for c in it.columns
        ]
        heads = ["column", "was", "is", "effect before", "effect after"]
        lines.append(markdown.table(heads, cells, right="   rr"))
    if not it.scores and not it.columns:
        lines.append("No column and no score changed.\n")
    return "\n".join(lines)


def _scores(a: MonitorReport, b: MonitorReport) -> tuple[ScoreChange, ...]:
    before = {score.metric: score for score in a.scores}
    after = {score.metric: score for score in b.scores}
    found = []
    for metric in dict.fromkeys((*after, *before)):
        old, new = before.get(metric), after.get(metric)
        change = ScoreChange(
            metric,
            old.value if old else None,
            new.value if new else None,
            old.mark if old else "",
            new.mark if new else "",
        )
        if (change.before, change.mark_before) != (change.after, change.mark_after):
            found.append(change)
    return tuple(found)


def _moved(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return False
    return abs(after - before) >= max(0.05, 0.2 * before)


def _score(value: float | None, mark: str) -> str:
    return f"{short(value, 3)} ({mark})" if mark else "–"


def _step(change: ScoreChange) -> str:
    if change.before is None or change.after is None:
        return ""
    return f"{change.after - change.before:+.3g}"


def _name(report: MonitorReport) -> str:
    return report.period + (f" (revision {report.revision})" if report.revision > 1 else "")
