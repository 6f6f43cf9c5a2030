"""Frames as the sources of a monitor, and its verdicts on two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from mlctl.monitoring.compare import Compared, compare
from mlctl.monitoring.cuts import Period, PeriodCut
from mlctl.monitoring.results import ColumnReport, DataRef, Finding
from mlctl.monitoring.spec import MonitorSpec, ReferenceSpec, Thresholds, Where

LIMITS = Thresholds()


class Frame:
    """A frame that is read as a source."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.ref = DataRef("frame", 1, frame.height, "")
        self.schema: Mapping[str, pl.DataType] = frame.schema
        self.findings: Sequence[Finding] = ()

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        return self.frame.select(columns)


def spec(limits: Thresholds = LIMITS, min_rows: int = 30, **more: object) -> MonitorSpec:
    return MonitorSpec(
        "m", Where(path="a"), ReferenceSpec(where=Where(path="b")), thresholds=limits,
        min_rows=min_rows, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def compared(reference: pl.DataFrame, current: pl.DataFrame, one: MonitorSpec) -> Compared:
    """All current rows against all of the reference."""
    there, here = Frame(reference), Frame(current)
    cut = PeriodCut(Period("p"), None, None, here.ref)
    columns = [(name, "feature") for name in reference.columns]
    return compare(one, columns, there, here, [cut], joint={})["p"]  # type: ignore[arg-type]


def verdicts(
    reference: pl.DataFrame,
    current: pl.DataFrame,
    limits: Thresholds = LIMITS,
    min_rows: int = 30,
) -> dict[str, ColumnReport]:
    found = compared(reference, current, spec(limits, min_rows))
    return {report.name: report for report in found.columns}
