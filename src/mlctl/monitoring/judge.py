"""The verdict on every column: drift only where it is both large and no accident.

One family of tests for the whole run, corrected by Benjamini and Hochberg (1995, "Controlling the
false discovery rate"): the distribution of each column, and the missing values of each column that
has any. Without drift anywhere, the chance of even one alarm in a run is then at most `q`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Literal

from mlctl.monitoring.columns import Pair
from mlctl.monitoring.spec import Thresholds

if TYPE_CHECKING:
    from mlctl.monitoring.drift import Measure

State = Literal["drift", "ok", "insufficient"]
STATES: tuple[State, ...] = ("drift", "insufficient", "ok")


@dataclass(frozen=True, slots=True)
class Distribution:
    """Shares of both sides in the same bins, for plots; see `columns.Bins`."""

    reference: tuple[float, ...]
    current: tuple[float, ...]
    labels: tuple[str, ...] = ()
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """The verdict on one column.

    `effect` is KS's D of a numeric column, the Jensen-Shannon distance of a categorical one; `q` is
    the corrected p-value of its distribution, `missing_q` that of its missing values. None stands
    for what could not be tested. `missing` are shares, (reference, current).
    """

    name: str
    kind: str
    state: State
    reasons: tuple[str, ...] = ()
    effect: float | None = None
    q: float | None = None
    missing: tuple[float, float] = (0.0, 0.0)
    missing_q: float | None = None
    new_categories: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    distribution: Distribution | None = None


@dataclass(frozen=True, slots=True)
class _Tested:
    pair: Pair
    metrics: Mapping[str, Measure]
    missing: Measure | None
    note: str

    @property
    def test(self) -> tuple[float, float] | None:
        """(effect, p) of the distribution."""
        if "ks" in self.metrics:
            ks = self.metrics["ks"]
            return ks.value, 1.0 if ks.p is None else ks.p
        if "chi_square" in self.metrics:
            p = self.metrics["chi_square"].p
            return self.metrics["jensen_shannon"].value, 1.0 if p is None else p
        return None


def judge(
    pairs: Sequence[Pair], thresholds: Thresholds, *, min_rows: int
) -> tuple[ColumnReport, ...]:
    """The columns' verdicts, the worst first. Fewer than `min_rows` values: `insufficient`."""
    tested = [_measure(pair, min_rows) for pair in pairs]
    tests = [t.test for t in tested]
    missing = [t.missing for t in tested]
    # Columns without any missing value cannot fail that test and would only weaken the others.
    asked = [bool(t.missing and any(t.pair.missing)) for t in tested]
    p_values = [test[1] for test in tests if test]
    p_missing = [m.p or 0.0 for m, ask in zip(missing, asked, strict=True) if m and ask]
    q_values = iter(adjust([*p_values, *p_missing]))
    q_tests = [next(q_values) if test else None for test in tests]
    q_missing = [next(q_values) if ask else None for ask in asked]
    reports = [
        _verdict(t, q, missing_q, thresholds)
        for t, q, missing_q in zip(tested, q_tests, q_missing, strict=True)
    ]
    return tuple(sorted(reports, key=lambda report: severity(report, thresholds)))


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


def _measure(pair: Pair, min_rows: int) -> _Tested:
    import numpy as np

    from mlctl.monitoring.drift import (
        chi_square,
        jensen_shannon,
        ks,
        missing_share,
        new_categories,
        psi,
        wasserstein,
    )

    present = tuple(rows - gone for rows, gone in zip(pair.rows, pair.missing, strict=True))
    metrics: dict[str, Measure] = {}
    note = pair.note
    if pair.kind not in {"numeric", "categorical"}:
        note = note or _why_not(pair.kind)
    elif min(present) < min_rows:
        note = note or f"{min(present)} values, {min_rows} are needed"
    elif pair.samples is not None and pair.counts is not None:
        metrics["ks"] = ks.compute(*pair.samples)
        metrics["wasserstein"] = wasserstein.compute(*pair.samples)
        metrics["psi"] = psi.compute(pair.counts.reference, pair.counts.current)
    elif pair.counts is not None:
        sides = pair.counts.reference, pair.counts.current
        metrics["jensen_shannon"] = jensen_shannon.compute(*sides)
        metrics["chi_square"] = chi_square.compute(*sides)
        metrics["psi"] = psi.compute(*sides)
        known = np.array([present[0], 0.0]), np.array([present[1] - pair.new, float(pair.new)])
        metrics["new_categories"] = new_categories.compute(*known)
    gone = None
    if min(pair.rows) >= min_rows:
        shown = [np.array(s, dtype=float) for s in zip(present, pair.missing, strict=True)]
        gone = missing_share.compute(shown[0], shown[1])
    return _Tested(pair, metrics, gone, note)


def _why_not(kind: str) -> str:
    return {
        "identifier": "nearly every value is another one",
        "time": "moments are not compared",
    }.get(kind, "values of this type are not compared")


def _verdict(
    tested: _Tested, q: float | None, missing_q: float | None, thresholds: Thresholds
) -> ColumnReport:
    pair, test = tested.pair, tested.test
    reasons = []
    if test and q is not None and test[0] >= thresholds.effect and q <= thresholds.q:
        reasons.append("distribution")
    change = tested.missing.value if tested.missing else 0.0
    if missing_q is not None and change >= thresholds.missing and missing_q <= thresholds.q:
        reasons.append("missing")
    state: State = "drift" if reasons else "ok" if test else "insufficient"
    values = {name: measure.value for name, measure in tested.metrics.items()}
    new = values.pop("new_categories", 0.0)
    return ColumnReport(
        name=pair.name,
        kind=pair.kind,
        state=state,
        reasons=tuple(reasons),
        effect=test[0] if test else None,
        q=q,
        missing=(_ratio(pair, 0), _ratio(pair, 1)),
        missing_q=missing_q,
        new_categories=new,
        metrics={name: value for name, value in values.items() if isfinite(value)},
        note=tested.note,
        distribution=_distribution(pair),
    )


def _ratio(pair: Pair, side: int) -> float:
    return pair.missing[side] / pair.rows[side] if pair.rows[side] else 0.0


def _distribution(pair: Pair) -> Distribution | None:
    if pair.plot is None:
        return None
    first, second = pair.plot.reference, pair.plot.current
    return Distribution(
        tuple((first / first.sum()).tolist()),
        tuple((second / second.sum()).tolist()),
        pair.plot.labels,
        pair.plot.ends,
    )
