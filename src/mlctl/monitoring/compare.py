"""Compare every column of every period with the reference, a few columns at a time.

Columns are the outer loop and periods the inner one, so that a table need never be whole in memory;
several columns are worked on at once, since sorting and reading leave the interpreter free.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mlctl.monitoring.baseline import Baseline
from mlctl.monitoring.comparing import ColumnTests, compare_column
from mlctl.monitoring.cuts import PeriodCut, Source
from mlctl.monitoring.judge import SliceTests, judge
from mlctl.monitoring.measuring import Tested
from mlctl.monitoring.results import (
    ColumnReport,
    Finding,
    JointReport,
    JointTest,
    Role,
    SliceReport,
)
from mlctl.monitoring.spec import MonitorSpec

_AT_ONCE = 256 << 20  # bytes of values that are read at a time, of both sides
_NO_SLICES = "a baseline does not know the slices: compare with data"


@dataclass(frozen=True, slots=True)
class Compared:
    """The verdicts of one period, the worst columns first."""

    columns: tuple[ColumnReport, ...]
    slices: tuple[SliceReport, ...] = ()
    joint: tuple[JointReport, ...] = ()
    findings: tuple[Finding, ...] = field(default=())


def compare(
    spec: MonitorSpec,
    columns: Sequence[tuple[str, Role]],
    reference: Source | Baseline,
    current: Source,
    cuts: Sequence[PeriodCut],
    *,
    joint: Mapping[str, Sequence[JointTest]],
) -> dict[str, Compared]:
    """What became of `columns` in each of the `cuts`, by the period's name."""
    by_period: dict[str, list[ColumnTests]] = {cut.period.name: [] for cut in cuts}
    for tests in _tests(spec, columns, reference, current, cuts):
        for cut, found in zip(cuts, tests, strict=True):
            by_period[cut.period.name].append(found)
    return {
        cut.period.name: _judged(
            spec, cut, by_period[cut.period.name], joint.get(cut.period.name, ()), reference
        )
        for cut in cuts
    }


def _tests(
    spec: MonitorSpec,
    columns: Sequence[tuple[str, Role]],
    reference: Source | Baseline,
    current: Source,
    cuts: Sequence[PeriodCut],
) -> Iterator[list[ColumnTests]]:
    """The tests of each column on all cuts, in the columns' order."""
    rows = current.ref.rows + (0 if isinstance(reference, Baseline) else reference.ref.rows)
    workers = os.cpu_count() or 1
    size = max(1, min(16, _AT_ONCE // (8 * max(1, rows)) // workers))
    batches = [columns[at : at + size] for at in range(0, len(columns), size)]

    def work(batch: Sequence[tuple[str, Role]]) -> list[list[ColumnTests]]:
        names = [name for name, _ in batch]
        here = current.read([name for name in names if name in current.schema])
        there = None
        if not isinstance(reference, Baseline):
            there = here if reference is current else reference.read(names)
        return [
            compare_column(
                spec,
                name,
                role,
                reference if isinstance(reference, Baseline) else there[name],  # type: ignore[index]
                here[name] if name in here.columns else None,
                cuts,
                height=current.ref.rows,
            )
            for name, role in batch
        ]

    with ThreadPoolExecutor(workers) as pool:
        # A few batches ahead at most: what is not yet taken stays in memory.
        waiting = []
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > workers:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def _judged(
    spec: MonitorSpec,
    cut: PeriodCut,
    tests: Sequence[ColumnTests],
    joint: Sequence[JointTest],
    reference: Source | Baseline,
) -> Compared:
    without = isinstance(reference, Baseline)
    slices = [
        SliceTests(
            part.name,
            int(part.rows.size),
            [] if without else [test.slices[place] for test in tests],
            _NO_SLICES if without else "",
        )
        for place, part in enumerate(cut.slices)
    ]
    whole = [test.whole for test in tests]
    columns, parts, together = judge(spec, whole, slices, joint)
    return Compared(columns, parts, together, tuple(_findings(whole)))


def _findings(columns: Sequence[Tested]) -> Iterator[Finding]:
    """Columns that say nothing any more."""
    for column in columns:
        gone, rows = column.gone[1], column.rows[1]
        if rows and gone == rows and column.gone[0] < column.rows[0]:
            yield Finding("all_missing", f"{column.name} has no value at all", column.name)
        elif column.constant:
            text = f"{column.name} has one value only, in the reference several"
            yield Finding("constant_column", text, column.name)
