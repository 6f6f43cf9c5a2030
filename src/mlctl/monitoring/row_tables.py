"""What is looked at row by row: predictions, labels, and the tables they are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlctl.monitoring import performance
from mlctl.monitoring.cuts import PeriodCut, Source
from mlctl.monitoring.sides import Sides
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.cuts import Rows
    from mlctl.monitoring.performance import Assessed


@dataclass(frozen=True, slots=True)
class RowTables:
    """The few columns that are looked at row by row, read once for all periods."""

    rows: pl.DataFrame
    reference: pl.DataFrame | None
    labels: pl.DataFrame | None
    features: pl.DataFrame | None
    training: pl.DataFrame | None
    fitted: Mapping[str, Any] | None

    @classmethod
    def read(cls, spec: MonitorSpec, sides: Sides, current: Source) -> RowTables:
        """The columns that scores, skew and feedback ask for, of all rows."""
        wanted = dict.fromkeys(performance.columns(spec)) if spec.performance else {}
        features = _whole(sides.features)
        training = _whole(sides.training)
        if spec.skew and features is not None:
            wanted |= dict.fromkeys([spec.skew.key, *features.columns])
        if spec.feedback:
            wanted |= dict.fromkeys([spec.feedback.key, spec.id, spec.predictions.value])
            wanted |= dict.fromkeys(spec.predictions.scores.values())
        return cls(
            _read(current, list(filter(None, wanted))),
            _scored_reference(spec, sides),
            _whole(sides.labels),
            features,
            training,
            sides.baseline.performance if sides.baseline else None,
        )

    def assess(self, spec: MonitorSpec, cut: PeriodCut) -> Assessed | None:
        """The model's scores in a period, None where nothing is declared about them."""
        if spec.performance is None:
            return None
        reference = self.reference
        if reference is not None and cut.reference_rows is not None:
            reference = reference[cut.reference_rows]
        return performance.assess(
            spec,
            taken(self.rows, cut.rows),
            labels=self.labels,
            reference=reference,
            fitted=self.fitted,
            period=cut.period,
            slices={part.name: _within(part.rows, cut.rows) for part in cut.slices},
        )


def taken(table: pl.DataFrame, rows: Rows | None) -> pl.DataFrame:
    """Those rows of `table`, None for all."""
    return table if rows is None else table[rows]


def sample(rows: Rows | None, count: int, most: int) -> Rows:
    """Places of at most `most` rows, evenly spread."""
    import numpy as np

    total = count if rows is None else int(rows.size)
    return np.unique(np.linspace(0, max(0, total - 1), min(total, most)).astype(np.int64))


def picked(rows: Rows | None, places: Rows) -> Rows:
    """`places` among `rows` as rows of the source."""
    return places if rows is None else rows[places]


def _scored_reference(spec: MonitorSpec, sides: Sides) -> pl.DataFrame | None:
    """The reference's predictions and labels, None where it has no rows or no predictions."""
    if spec.performance is None or sides.source is None:
        return None
    wanted = performance.columns(spec)
    if spec.labels is not None:
        wanted = [*wanted, spec.labels.column]
    return _read(sides.source, list(dict.fromkeys(wanted)))


def _read(source: Source, names: Sequence[str]) -> pl.DataFrame:
    """Those of the columns that are there."""
    return source.read([name for name in names if name in source.schema])


def _whole(source: Source | None) -> pl.DataFrame | None:
    return None if source is None else source.read(list(source.schema))


def _within(part: Rows, rows: Rows | None) -> Rows:
    """Places of `part` among `rows`, both ascending."""
    import numpy as np

    return part if rows is None else np.searchsorted(rows, part)
