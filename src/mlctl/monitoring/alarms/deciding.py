"""When people are to be told: so many bad periods of the last ones, and not muted. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.monitoring import verdicts
from mlctl.monitoring.alarms.mutes import Mute, Mutes
from mlctl.monitoring.results import Alarm, MonitorReport
from mlctl.monitoring.spec import MonitorSpec


def decide(
    spec: MonitorSpec, report: MonitorReport, before: Sequence[MonitorReport], mutes: Mutes
) -> Alarm:
    """The alarm on `report`, after the reports `before` it (ascending).

    It is raised where at least `alarm.after` of the last `alarm.of` judged periods are bad, and so
    it goes on until fewer are. A period in which nothing could be judged counts as none.
    `since` is the first bad period of the spell. What is muted for the period counts as good.
    """
    rule = spec.alarm
    if _unsure(report):
        last = before[-1].alarm if before else Alarm("quiet")
        return last if last.state == "raised" else Alarm("quiet", of=rule.of)
    judged = [r for r in before if not _unsure(r)]
    window = [*judged, report][-rule.of :]
    bad = [r for r in window if is_bad(r, mutes)]
    muted = mutes.of(report)
    whole = next((mute for mute in muted if not mute.column), None)
    if verdicts.is_bad(report) and not is_bad(report, mutes):
        mute = whole or muted[0]
        return Alarm("muted", "", 0, rule.of, mute.reason, mute.to)
    if len(bad) < rule.after:
        return Alarm("quiet", _since(judged, report, mutes), len(bad), rule.of)
    return Alarm("raised", _since(judged, report, mutes) or bad[0].period, len(bad), rule.of)


def is_bad(report: MonitorReport, mutes: Mutes) -> bool:
    """Whether the period is bad, what is muted left out."""
    found = mutes.of(report)
    if not found:
        return verdicts.is_bad(report)
    if any(not mute.column for mute in found):
        return False
    silent = {mute.column for mute in found}
    return verdicts.is_bad(_without(report, silent))


def _without(report: MonitorReport, silent: set[str]) -> MonitorReport:
    from dataclasses import replace

    columns = tuple(c for c in report.columns if c.name not in silent)
    scores = tuple(s for s in report.scores if s.metric not in silent)
    findings = tuple(f for f in report.findings if f.column not in silent)
    slices = tuple(
        replace(part, state="ok")
        if part.drifted and all(name in silent for name, _, _ in part.drifted)
        else part
        for part in report.slices
    )
    verdict = verdicts.verdict_of(
        columns, report.thresholds, joint=report.joint, slices=slices, scores=scores,
        findings=findings,
    )  # fmt: skip
    return replace(report, verdict=verdict)


def _since(judged: Sequence[MonitorReport], report: MonitorReport, mutes: Mutes) -> str:
    """The first period of the unbroken run of bad ones that ends with `report`, if it is bad."""
    first = ""
    for one in reversed([*judged, report]):
        if not is_bad(one, mutes):
            break
        first = one.period
    return first


def _unsure(report: MonitorReport) -> bool:
    return report.verdict == "insufficient"


__all__ = ["Mute", "decide", "is_bad"]
