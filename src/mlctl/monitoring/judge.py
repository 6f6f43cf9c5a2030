"""The verdict on every column: drift only where it is both large and no accident. Pure.

One family of tests for each period, corrected by Benjamini and Hochberg (1995, "Controlling the
false discovery rate"): the distribution of each column, in the whole period and in each slice, its
missing values and new categories where it has any, and the joint tests. Without drift anywhere,
the chance of even one alarm in a period is then at most `q`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from mlctl.monitoring.measuring import Tested
from mlctl.monitoring.results import (
    STATES,
    ColumnReport,
    JointReport,
    JointTest,
    SliceReport,
    State,
)
from mlctl.monitoring.spec import MonitorSpec, Thresholds

if TYPE_CHECKING:
    from mlctl.monitoring.drift import Measure

_SHOWN = 5  # drifted columns of a slice that its report names


@dataclass(frozen=True, slots=True)
class SliceTests:
    """The columns of one slice; `note` says why none is judged."""

    name: str
    rows: int
    columns: Sequence[Tested]
    note: str = ""


def judge(
    spec: MonitorSpec,
    columns: Sequence[Tested],
    slices: Sequence[SliceTests] = (),
    joint: Sequence[JointTest] = (),
) -> tuple[tuple[ColumnReport, ...], tuple[SliceReport, ...], tuple[JointReport, ...]]:
    """The verdicts of a period, the worst column first."""
    everything = [*columns, *(column for part in slices for column in part.columns)]
    asked = [p for tested in everything for p in _asked(tested)]
    asked += [test.p for test in joint if test.p is not None]
    q_values = iter(adjust(asked))
    reports = [_report(tested, q_values, spec.thresholds) for tested in columns]
    parts = [_slice(part, q_values, spec.thresholds) for part in slices]
    together = [_joint(test, q_values, spec.thresholds.q) for test in joint]
    ordered = sorted(reports, key=lambda report: severity(report, spec.thresholds))
    return tuple(ordered), tuple(parts), tuple(together)


def adjust(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg q-values, in the order given."""
    total = len(p_values)
    order = sorted(range(total), key=lambda at: p_values[at], reverse=True)
    result, least = [1.0] * total, 1.0
    for place, at in enumerate(order):
        least = min(least, p_values[at] * total / (total - place))
        result[at] = least
    return result


def severity(report: ColumnReport, thresholds: Thresholds) -> tuple[int, float, str]:
    """Sorts the worst first: by state, then by how far over its threshold, then by name."""
    change = abs(report.missing[1] - report.missing[0])
    worst = max((report.effect or 0.0) / thresholds.effect, change / thresholds.missing)
    return STATES.index(report.state), -round(worst, 6), report.name


def _asked(tested: Tested) -> Iterator[float]:
    """The p-values of a column, in the order in which `_report` takes their q-values.

    A column without any missing value cannot fail that test, and would only weaken the others.
    """
    if tested.p is not None:
        yield tested.p
    if tested.missing is not None and any(tested.gone):
        yield _p(tested.missing.p)
    if tested.new is not None and tested.new.value:
        yield _p(tested.new.p)


def _p(value: float | None) -> float:
    return 1.0 if value is None else value


def _report(tested: Tested, q_values: Iterator[float], limits: Thresholds) -> ColumnReport:
    q = next(q_values) if tested.p is not None else None
    missing_q = next(q_values) if tested.missing is not None and any(tested.gone) else None
    new_q = next(q_values) if tested.new is not None and tested.new.value else None
    reasons = tuple(_reasons(tested, q, missing_q, new_q, limits))
    state: State = "drift" if reasons else "ok" if tested.p is not None else "insufficient"
    values = {name: measure.value for name, measure in tested.metrics.items()}
    return ColumnReport(
        name=tested.name,
        kind=tested.kind,
        state=state,
        role=tested.role,
        reasons=reasons,
        effect=tested.effect,
        error=tested.error,
        q=q,
        missing=tested.missing_shares,
        missing_q=missing_q,
        new_categories=tested.new.value if tested.new else 0.0,
        metrics={name: value for name, value in values.items() if isfinite(value)},
        note=tested.note,
        distribution=tested.distribution,
    )


def _reasons(
    tested: Tested,
    q: float | None,
    missing_q: float | None,
    new_q: float | None,
    limits: Thresholds,
) -> Iterator[str]:
    own = limits.columns.get(tested.name)
    effect = limits.effect if own is None or own.effect is None else own.effect
    if limits.learned and tested.learned is not None and (own is None or own.effect is None):
        effect = tested.learned
    change = limits.missing if own is None or own.missing is None else own.missing
    if q is not None and q <= limits.q:
        if tested.effect is not None and tested.effect >= effect:
            yield "distribution"
        for name, limit in limits.metrics.items():
            measure = tested.metrics.get(name)
            if measure is not None and measure.value >= limit:
                yield name
    if _both(tested.missing, change, missing_q, limits.q):
        yield "missing"
    if _both(tested.new, limits.new, new_q, limits.q):
        yield "new_categories"


def _both(measure: Measure | None, limit: float, q: float | None, most: float) -> bool:
    """Whether a change is both large and no accident."""
    return measure is not None and q is not None and measure.value >= limit and q <= most


def _slice(part: SliceTests, q_values: Iterator[float], limits: Thresholds) -> SliceReport:
    reports = [_report(tested, q_values, limits) for tested in part.columns]
    counts: Mapping[State, int] = {s: _count(reports, s) for s in STATES}
    worst = sorted(reports, key=lambda report: severity(report, limits))
    drifted = [r for r in worst if r.state == "drift"][:_SHOWN]
    state: State = "drift" if drifted else "ok" if counts["ok"] else "insufficient"
    named = tuple((r.name, r.effect or 0.0, 1.0 if r.q is None else r.q) for r in drifted)
    return SliceReport(part.name, part.rows, state, counts, named, note=part.note)


def _count(reports: Iterable[ColumnReport], state: State) -> int:
    return sum(report.state == state for report in reports)


def _joint(test: JointTest, q_values: Iterator[float], most: float) -> JointReport:
    found = JointReport(
        test.metric, "insufficient", test.value, test.limit, None, test.columns, test.note
    )
    if test.p is None or test.value is None:
        return found
    q = next(q_values)
    drifted = test.value >= test.limit and q <= most
    return replace(found, state="drift" if drifted else "ok", q=q)
