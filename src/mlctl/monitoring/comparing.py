"""One column of both sides, in every period and slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mlctl.monitoring import measuring
from mlctl.monitoring.baseline import Baseline
from mlctl.monitoring.cuts import PeriodCut, Rows
from mlctl.monitoring.measuring import Tested
from mlctl.monitoring.results import Role
from mlctl.monitoring.spec import Kind, MonitorSpec

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.drift import Array
    from mlctl.monitoring.summaries.numeric import Numeric

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ColumnTests:
    """A column in one period, and in each of the period's slices."""

    whole: Tested
    slices: tuple[Tested, ...]


def compare_column(
    spec: MonitorSpec,
    name: str,
    role: Role,
    reference: pl.Series | Baseline,
    current: pl.Series | None,
    cuts: Sequence[PeriodCut],
    *,
    height: int,
) -> list[ColumnTests]:
    """The tests of a column in each of the `cuts`; `current` is None where it is gone.

    `height` is the number of all current rows.
    """
    import polars as pl

    from mlctl.monitoring.summaries.kinds import kind_of

    if isinstance(reference, Baseline):
        return _against_baseline(spec, name, role, reference, current, cuts)
    kind = spec.kinds.get(name) or kind_of(reference)
    if current is None:
        current = pl.Series(name, [None] * height, dtype=reference.dtype)
    if kind == "numeric":
        work: _Column = _Numbers(spec, name, role, reference, current)
    elif kind == "categorical":
        work = _Words(spec, name, role, reference, current)
    else:
        work = _Others(spec, name, role, kind, reference, current)
    return [
        ColumnTests(
            work.test(cut.reference_rows, cut.rows),
            tuple(work.test(part.reference_rows, part.rows) for part in cut.slices),
        )
        for cut in cuts
    ]


class _Column(Protocol):
    def test(self, there: Rows | None, here: Rows | None) -> Tested:
        """Compare some rows of both sides."""


class _Kept(Generic[T]):
    """Summaries of rows of the reference, each made once.

    Not where periods are compared with those before them: no rows of the reference come twice.
    """

    def __init__(self, make: Callable[[Rows | None], T], *, keep: bool) -> None:
        self._make, self._keep = make, keep
        self._known: dict[int, T] = {}  # by the identity of the rows, which the cuts hold on to

    def of(self, rows: Rows | None) -> T:
        """The summary of those rows."""
        if not self._keep:
            return self._make(rows)
        if id(rows) not in self._known:
            self._known[id(rows)] = self._make(rows)
        return self._known[id(rows)]


class _Numbers:
    def __init__(
        self, spec: MonitorSpec, name: str, role: Role, reference: pl.Series, current: pl.Series
    ) -> None:
        from mlctl.monitoring.summaries.kinds import numbers

        self._spec, self._name, self._role = spec, name, role
        there = numbers(reference).to_numpy()
        self._here = there if reference is current else numbers(current).to_numpy()
        keep = not spec.reference.before
        self._reference = _Kept(lambda rows: _numeric(there, rows, None), keep=keep)

    def test(self, there: Rows | None, here: Rows | None) -> Tested:
        reference = self._reference.of(there)
        current = _numeric(self._here, here, reference.edges)
        return measuring.numeric(self._spec, self._name, self._role, reference, current)


class _Words:
    def __init__(
        self, spec: MonitorSpec, name: str, role: Role, reference: pl.Series, current: pl.Series
    ) -> None:
        from mlctl.monitoring.summaries.categorical import summarise
        from mlctl.monitoring.summaries.kinds import words

        self._spec, self._name, self._role = spec, name, role
        there = words(reference, reference.dtype)
        self._here = words(current, reference.dtype)
        keep = not spec.reference.before
        self._reference = _Kept(lambda rows: summarise(_chosen(there, rows)), keep=keep)

    def test(self, there: Rows | None, here: Rows | None) -> Tested:
        from mlctl.monitoring.summaries.categorical import frame_of, framed, summarise

        reference = self._reference.of(there)
        frame = frame_of(reference)
        current = framed(summarise(_chosen(self._here, here)), frame, reference.counts)
        return measuring.categorical(
            self._spec, self._name, self._role, framed(reference, frame, None), current, frame
        )


class _Others:
    """Columns whose values are not compared: only whether they are there."""

    def __init__(
        self,
        spec: MonitorSpec,
        name: str,
        role: Role,
        kind: Kind,
        reference: pl.Series,
        current: pl.Series,
    ) -> None:
        self._spec, self._name, self._role, self._kind = spec, name, role, kind
        self._there, self._here = reference.is_null(), current.is_null()

    def test(self, there: Rows | None, here: Rows | None) -> Tested:
        sides = [_chosen(nulls, rows) for nulls, rows in ((self._there, there), (self._here, here))]
        rows, gone = tuple(s.len() for s in sides), tuple(int(s.sum() or 0) for s in sides)
        tested = measuring.unmeasured(
            self._name, self._kind, self._role, (rows[0], rows[1]), (gone[0], gone[1])
        )
        return replace(tested, missing=measuring.missing_of_counts(self._spec, rows, gone))


def _chosen(column: pl.Series, rows: Rows | None) -> pl.Series:
    return column if rows is None else column[rows]


def _numeric(values: Array, rows: Rows | None, edges: Array | None) -> Numeric:
    import numpy as np

    from mlctl.monitoring.summaries.numeric import summarise

    chosen = values if rows is None else values[rows]
    known = chosen[~np.isnan(chosen)] if np.isnan(chosen).any() else chosen
    return summarise(known, edges, rows=int(chosen.size))


def _against_baseline(
    spec: MonitorSpec,
    name: str,
    role: Role,
    baseline: Baseline,
    current: pl.Series | None,
    cuts: Sequence[PeriodCut],
) -> list[ColumnTests]:
    from mlctl.monitoring.summaries.categorical import framed, summarise
    from mlctl.monitoring.summaries.kinds import numbers, words

    column = baseline.columns[name]
    found = []
    for cut in cuts:
        if current is None or (column.numeric is None and column.categorical is None):
            rows, gone = (baseline.ref.rows, cut.ref.rows), (column.missing, cut.ref.rows)
            if current is not None:
                some = _chosen(current, cut.rows)
                gone = (column.missing, some.null_count())
            tested = measuring.unmeasured(name, column.kind, role, rows, gone)
            counted = measuring.missing_of_counts(spec, rows, gone)
            found.append(ColumnTests(replace(tested, missing=counted), ()))
            continue
        some = _chosen(current, cut.rows)
        if column.numeric is not None:
            there = column.at(cut.season)
            here = _numeric(numbers(some).to_numpy(), None, there.edges)
            tested = measuring.numeric(spec, name, role, there, here)
        else:
            known = column.categories(cut.season)
            frame = list(known.counts)
            everything = known.counts if known.other == 0 else None
            here_words = framed(summarise(words(some, column.dtype)), frame, everything)
            tested = measuring.categorical(spec, name, role, known, here_words, frame)
        found.append(ColumnTests(replace(tested, learned=column.learned), ()))
    return found
