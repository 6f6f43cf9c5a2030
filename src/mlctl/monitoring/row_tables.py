"""What is looked at row by row: predictions, labels, and the tables they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlctl.monitoring.cuts import PeriodCut, Source
from mlctl.monitoring.performance import assessing, preparing
from mlctl.monitoring.performance.labels import joined, strangers
from mlctl.monitoring.results import Finding
from mlctl.monitoring.sides import Sides
from mlctl.monitoring.spec import Labels, MonitorSpec

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.cuts import Rows
    from mlctl.monitoring.performance.assessing import Assessed
    from mlctl.monitoring.performance.preparing import Prepared


@dataclass(frozen=True, slots=True)
class RowTables:
    """The few columns that are looked at row by row, read once for all periods."""

    rows: pl.DataFrame
    reference: pl.DataFrame | None
    labels: pl.DataFrame | None
    features: pl.DataFrame | None
    training: pl.DataFrame | None
    prepared: Prepared
    explaining: tuple[str, ...]

    @classmethod
    def read(
        cls, spec: MonitorSpec, sides: Sides, current: Source, explaining: tuple[str, ...]
    ) -> RowTables:
        """The columns that scores, skew and feedback ask for, of all rows.

        `explaining` are the features by which a regression's error is estimated.
        """
        if spec.performance is None or spec.performance.task != "regression":
            explaining = ()
        wanted = dict.fromkeys((*preparing.columns(spec), *explaining)) if spec.performance else {}
        features = _whole(sides.features)
        training = _whole(sides.training)
        if spec.skew and features is not None:
            wanted |= dict.fromkeys([spec.skew.key, *features.columns])
        if spec.feedback:
            wanted |= dict.fromkeys([spec.feedback.key, spec.id or "", spec.predictions.value])
            wanted |= dict.fromkeys(spec.predictions.scores.values())
        reference = _scored_reference(spec, sides, explaining)
        labels = _whole(sides.labels)
        fitted = sides.baseline.performance if sides.baseline else None
        if reference is not None and spec.labels and spec.labels.column not in reference.columns:
            reference = _labelled(spec.labels, reference, labels)
        prepared = preparing.prepare(spec, reference, fitted, explaining)
        rows = _read(current, list(filter(None, wanted)))
        return cls(rows, reference, labels, features, training, prepared, explaining)

    def assess(self, spec: MonitorSpec, cut: PeriodCut) -> Assessed | None:
        """The model's scores in a period, None where nothing is declared about them."""
        if spec.performance is None:
            return None
        prepared = self.prepared
        if spec.reference.before and self.reference is not None and cut.reference_rows is not None:
            earlier = self.reference[cut.reference_rows]
            prepared = preparing.prepare(spec, earlier, None, self.explaining)
        return assessing.assess(
            spec,
            taken(self.rows, cut.rows),
            known=self.labels,
            prepared=prepared,
            period=cut.period,
            slices={part.name: _within(part.rows, cut.rows) for part in cut.slices},
        )

    def strangers(self, spec: MonitorSpec) -> list[Finding]:
        """Labels of ids that no prediction has."""
        return [] if spec.labels is None else strangers(self.rows, self.labels, spec.labels)


def taken(table: pl.DataFrame, rows: Rows | None) -> pl.DataFrame:
    """Those rows of `table`, None for all; a table without columns has none."""
    return table if rows is None or not table.width else table[rows]


def sample(rows: Rows | None, count: int, most: int) -> Rows:
    """Places of at most `most` rows, evenly spread."""
    import numpy as np

    total = count if rows is None else int(rows.size)
    return np.unique(np.linspace(0, max(0, total - 1), min(total, most)).astype(np.int64))


def picked(rows: Rows | None, places: Rows) -> Rows:
    """`places` among `rows` as rows of the source."""
    return places if rows is None else rows[places]


def _labelled(spec: Labels, reference: pl.DataFrame, labels: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of periods before, with the labels that are known by now."""
    truth, _ = joined(reference, labels, spec)
    return reference.with_columns(truth.alias(spec.column))


def _scored_reference(
    spec: MonitorSpec, sides: Sides, explaining: tuple[str, ...]
) -> pl.DataFrame | None:
    """The reference's predictions and labels, None where it has no rows or no predictions."""
    if spec.performance is None or sides.source is None:
        return None
    return sides.source.read(scored_columns(spec, sides.source, explaining))


def scored_columns(
    spec: MonitorSpec, source: Source, explaining: tuple[str, ...] = ()
) -> list[str]:
    """The columns of a reference that its scores ask for, those that are there."""
    wanted = [*preparing.columns(spec), *explaining]
    if spec.labels is not None:
        wanted.append(spec.labels.column)
    return [name for name in dict.fromkeys(wanted) if name in source.schema]


def _read(source: Source, names: Sequence[str]) -> pl.DataFrame:
    """Those of the columns that are there."""
    return source.read([name for name in names if name in source.schema])


def _whole(source: Source | None) -> pl.DataFrame | None:
    return None if source is None else source.read(list(source.schema))


def _within(part: Rows, rows: Rows | None) -> Rows:
    """Places of `part` among `rows`, both ascending."""
    import numpy as np

    return part if rows is None else np.searchsorted(rows, part)
