"""From a monitor's data to what its reports hold: every room's work on every period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlctl.monitoring import causes, compat, feedback, skew, together, verdicts
from mlctl.monitoring.compare import Compared, compare
from mlctl.monitoring.cuts import PeriodCut, Source
from mlctl.monitoring.results import (
    Alarm,
    Cause,
    Compat,
    DataRef,
    Finding,
    MonitorReport,
    Role,
    SliceReport,
)
from mlctl.monitoring.row_tables import RowTables, picked, sample, taken
from mlctl.monitoring.sides import Sides
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    from mlctl.monitoring.performance.assessing import Assessed

Columns = Sequence[tuple[str, Role]]
_EXPLAINED_ROWS = 50_000  # of each side: causes are ranked, not measured to the last digit


def examine(
    spec: MonitorSpec,
    columns: Columns,
    sides: Sides,
    current: Source,
    cuts: Sequence[PeriodCut],
    *,
    progress: Callable[[str], None],
) -> list[MonitorReport]:
    """What was found in each of `cuts`, in their order, without an alarm yet."""
    if not cuts:
        return []
    progress("testing columns together")
    tested = {
        cut.period.name: together.run(spec, columns, sides.source, current, cut) for cut in cuts
    }
    progress("comparing columns")
    compared = compare(spec, columns, sides.reference, current, cuts, joint=tested)
    progress("scoring predictions")
    features = tuple(name for name, role in columns if role == "feature")
    tables = RowTables.read(spec, sides, current, features)
    reports = []
    for cut in cuts:
        found = compared[cut.period.name]
        scored = tables.assess(spec, cut)
        if cut is cuts[-1]:  # of no period: the newest tells of them
            found = replace(found, findings=(*found.findings, *tables.strangers(spec)))
        reports.append(_report(spec, columns, sides, current, cut, found, scored, tables))
    return reports


def _report(
    spec: MonitorSpec,
    columns: Columns,
    sides: Sides,
    current: Source,
    cut: PeriodCut,
    found: Compared,
    scored: Assessed | None,
    tables: RowTables,
) -> MonitorReport:
    rows = taken(tables.rows, cut.rows)
    findings = [*current.findings, *cut.findings, *found.findings]
    if scored is not None:
        findings += scored.findings
    if tables.features is not None:
        findings += skew.check(spec, rows, tables.features)
    if tables.training is not None:
        findings += feedback.check(spec, rows, tables.training)
    slices = found.slices if scored is None else _with_scores(found.slices, scored.slice_scores)
    scores = scored.scores if scored else ()
    verdict = verdicts.verdict_of(
        found.columns,
        spec.thresholds,
        joint=found.joint,
        slices=slices,
        scores=scores,
        findings=findings,
    )
    period = cut.period
    return MonitorReport(
        monitor=spec.name,
        period=period.name,
        start=period.start.isoformat() if period.start else "",
        end=period.end.isoformat() if period.end else "",
        verdict=verdict,
        alarm=Alarm("quiet"),
        versus=sides.versus,
        reference=_reference_ref(sides, cut),
        current=cut.ref,
        season=cut.season,
        thresholds=spec.thresholds,
        min_rows=spec.min_rows,
        counts=verdicts.counted(found.columns),
        columns=found.columns,
        labels=scored.labels if scored else None,
        scores=scores,
        slices=slices,
        joint=found.joint,
        causes=_causes(sides, current, cut, columns, found, scored)
        if verdict in verdicts.BAD
        else (),
        findings=_distinct(findings, cut),
        compat=_compat(spec, sides, current, cut, columns),
    )


def _reference_ref(sides: Sides, cut: PeriodCut) -> DataRef:
    if cut.reference_rows is None:
        return sides.reference.ref
    return replace(sides.reference.ref, rows=int(cut.reference_rows.size), digest="")


def _distinct(findings: Sequence[Finding], cut: PeriodCut) -> tuple[Finding, ...]:
    """Each once, the worst first."""
    if cut.note:
        findings = [*findings, Finding("comparison", cut.note, severity="info")]
    order = ("error", "warning", "info")
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: order.index(f.severity)))


def _with_scores(
    slices: Sequence[SliceReport], scores: Mapping[str, Mapping[str, float]]
) -> tuple[SliceReport, ...]:
    return tuple(replace(part, scores=scores.get(part.name, {})) for part in slices)


def _causes(
    sides: Sides,
    current: Source,
    cut: PeriodCut,
    columns: Columns,
    found: Compared,
    scored: Assessed | None,
) -> tuple[Cause, ...]:
    """What explains a bad period. A baseline has no rows to explain it with but its columns."""
    source = sides.source
    names = [
        name
        for name, role in columns
        if role == "feature" and source is not None and name in source.schema
    ]
    names = [name for name in names if name in current.schema]
    places = sample(cut.rows, cut.ref.rows, _EXPLAINED_ROWS)
    here = taken(current.read(names), picked(cut.rows, places))
    loss = scored.loss if scored else None
    before = scored.reference_loss if scored else None
    reference = here.clear()
    if source is not None:
        some = sample(cut.reference_rows, source.ref.rows, _EXPLAINED_ROWS)
        there = picked(cut.reference_rows, some)
        reference = taken(source.read(names), there)
        if before is not None:  # of all rows of the reference, or of those compared with
            before = before[there if before.size == source.ref.rows else some]
    return causes.rank(
        reference,
        here,
        loss_reference=None if source is None else before,
        loss_current=None if loss is None else loss[places],
        report_columns=found.columns,
        slices=found.slices,
    )


def _compat(
    spec: MonitorSpec, sides: Sides, current: Source, cut: PeriodCut, columns: Columns
) -> Compat | None:
    if spec.compat is None or sides.source is None:
        return None
    names = [name for name, _ in columns if name in current.schema]
    reference = sides.source.read(names)
    return compat.compare(
        spec.compat,
        taken(reference, cut.reference_rows),
        taken(current.read(names), cut.rows),
        names,
    )
