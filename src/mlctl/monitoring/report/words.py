"""What a report says, in words: shared by the terminal, Markdown and pages. Pure."""

from __future__ import annotations

from mlctl.monitoring.results import ColumnReport, MonitorReport, Score
from mlctl.reports.scales import short

METRIC_NAMES = {
    "wasserstein": "W₁/σ",
    "psi": "PSI",
    "chi_square": "Cramér’s V",
    "hellinger": "Hellinger",
    "l_infinity": "L∞",
}
MARKS = {"estimated": "estimate", "partial": "partial", "final": "final"}


def headline(report: MonitorReport) -> str:
    """What is wrong and since when, in a sentence: `3 of 20 columns drifted: a, b, c; since …`."""
    parts = [part for part in (_scores(report), _columns(report), _others(report)) if part]
    return "; ".join(parts) + _since(report)


def since(report: MonitorReport) -> str:
    """Since when, and how often of late; empty where nothing is wrong."""
    alarm = report.alarm
    if not alarm.since:
        return ""
    often = f" ({alarm.bad} of the last {alarm.of} periods)" if alarm.of > 1 else ""
    begun = "in this period" if alarm.since == report.period else f"since {alarm.since}"
    return f"{begun}{often}"


def alarm_text(report: MonitorReport) -> str:
    """The alarm for people: `raised`, `quiet`, or `muted until 2026-06-01: a new sensor`."""
    alarm = report.alarm
    if alarm.state != "muted":
        return alarm.state
    until = f" until {alarm.until}" if alarm.until else ""
    return f"muted{until}" + (f": {alarm.reason}" if alarm.reason else "")


def q_text(q: float | None) -> str:
    """A q-value with three digits after the point, `–` for none."""
    if q is None:
        return "–"
    return "<0.001" if q < 0.001 else f"{q:.3f}"


def percent(share: float) -> str:
    """`7.5 %`, `0 %`."""
    text = f"{share:.1%}".removesuffix("%")
    return text.removesuffix(".0") + " %"


def missing_text(column: ColumnReport) -> str:
    """`0 %`, or `1 % → 7.5 %` where it changed."""
    before, after = map(percent, column.missing)
    return before if before == after else f"{before} → {after}"


def remarks(column: ColumnReport) -> str:
    """What a table's columns do not say."""
    words = [column.note] if column.note else []
    if column.error:
        words.append(f"effect up to {short(column.effect and column.effect + column.error, 3)}")
    if column.new_categories:
        words.append(f"{percent(column.new_categories)} in new categories")
    if "missing" in column.reasons and column.missing[1] < 1:
        words.append(f"missing values changed (q {q_text(column.missing_q)})")
    named = [METRIC_NAMES.get(r, r) for r in column.reasons if r in column.metrics]
    if named:
        words.append(f"over the limit of {', '.join(named)}")
    return "; ".join(words)


def score_text(score: Score) -> str:
    """`0.912 (0.90 to 0.93)`, with `–` for what could not be taken."""
    if score.value is None:
        return "–"
    between = ""
    if score.low is not None and score.high is not None:
        between = f" ({short(score.low, 3)} to {short(score.high, 3)})"
    return f"{short(score.value, 3)}{between}"


def estimate_text(score: Score) -> str:
    """What was expected before labels, how far off it was, and whether it could be trusted."""
    it = score.estimate
    if it is None:
        return ""
    off = f", off by {short(it.error, 2)}" if it.error is not None else ""
    trust = "" if it.valid else f"; do not trust it: {it.check}"
    return (
        f"{it.method} {short(it.value, 3)} ({short(it.low, 3)} to {short(it.high, 3)}){off}{trust}"
    )


def rule(report: MonitorReport) -> str:
    """How columns were judged, in plain words."""
    limits = report.thresholds
    return (
        f"A column drifts where its effect (KS distance, or Jensen-Shannon distance of categories) "
        f"is at least {limits.effect:g}, the share of missing values changes by at least "
        f"{limits.missing:g}, or new categories have a share of at least {limits.new:g}, and the "
        f"q-value over all tests of the period (Benjamini-Hochberg) is at most {limits.q:g}. "
        f"Fewer than {report.min_rows} values are not judged."
    )


def _scores(report: MonitorReport) -> str:
    bad = [score for score in report.scores if score.state == "degraded"]
    said = [
        f"{score.metric} {short(score.value, 3)}"
        + (f", limit {short(score.limit, 3)}" if score.limit is not None else "")
        + f" ({MARKS[score.mark]})"
        for score in bad
    ]
    return f"the model got worse: {'; '.join(said)}" if said else ""


def _columns(report: MonitorReport) -> str:
    total, unsure = sum(report.counts.values()), report.counts.get("insufficient", 0)
    ending = f"; {unsure} could not be judged" if unsure else ""
    drifted = [column.name for column in report.columns if column.state == "drift"]
    number = report.counts.get("drift", 0)
    if number:
        names = ", ".join(drifted[:5]) + (", …" if number > 5 else "")
        few = ""
        if report.verdict not in {"drift", "degraded"} and report.thresholds.share is not None:
            few = f", fewer than the share of {report.thresholds.share:g} that counts"
        return f"{number} of {total} columns drifted: {names}{few}{ending}"
    if not report.counts.get("ok"):
        if any(finding.code == "empty_period" for finding in report.findings):
            return "there are no rows in this period"
        return f"not enough to judge any of {total} columns"
    return f"no drift in {report.counts['ok']} of {total} columns{ending}"


def _others(report: MonitorReport) -> str:
    said = [f"{t.metric} sees drift" for t in report.joint if t.state == "drift"]
    slices = [part.name for part in report.slices if part.state == "drift"]
    if slices:
        said.append(f"drift in {', '.join(slices[:3])}{', …' if len(slices) > 3 else ''}")
    harmful = ("training_serving_skew", "feedback_loop")
    said += [f.text for f in report.findings if f.code in harmful and f.severity != "info"]
    return "; ".join(said)


def _since(report: MonitorReport) -> str:
    text = since(report) if report.verdict in {"drift", "degraded"} else ""
    return f"; {text}" if text else ""
