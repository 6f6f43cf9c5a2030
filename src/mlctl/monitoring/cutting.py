"""Cut the data of a monitor: which rows belong to which period, and what they are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlctl.monitoring import periods, seasons, slicing
from mlctl.monitoring.changed_columns import column_findings
from mlctl.monitoring.cuts import Period, PeriodCut, Rows, SliceCut, Source
from mlctl.monitoring.results import DataRef, Finding
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    import polars as pl


def cut(
    spec: MonitorSpec,
    current: Source,
    reference: Source | None,
    *,
    since: str | None = None,
    until: str | None = None,
) -> list[PeriodCut]:
    """The periods of `current`, ascending, with the rows of `reference` to compare them with.

    `reference` is None for a baseline, and `current` itself where periods are compared with those
    before them. Raises InvalidInput where times, slices or bounds cannot be used.
    """
    at, told = _moments(spec, current)
    every = _all_periods(spec, current, at)
    chosen = {p.name for p, _ in periods.bounded(every, since, until)}
    compared = _Compared.of(spec, reference, every)
    before = None if reference is None else reference.schema
    shared = [*told, *column_findings(spec, current.schema, before)]
    here = slicing.sliced(spec.slices, current, reference)
    found = []
    for place, (period, rows) in enumerate(every):
        if period.name not in chosen:
            continue
        against, season, note = compared.rows(place, period)
        found.append(
            PeriodCut(
                period,
                rows,
                against,
                _ref(current, rows, single=len(every) == 1),
                season,
                _slices(here, compared.slices, rows, against),
                (*shared, *_about_rows(spec, current, rows)),
                note,
            )
        )
    return found


def _all_periods(
    spec: MonitorSpec, current: Source, at: pl.Series | None
) -> list[tuple[Period, Rows | None]]:
    if spec.every.unit is not None and at is not None:
        return [*periods.by_time(at, spec.every.unit, spec.zone)]
    if spec.every.rows:
        return [*periods.by_rows(current.ref.rows, spec.every.rows, at)]
    return [(periods.whole(at, spec.zone, current.ref.digest), None)]


def _moments(spec: MonitorSpec, source: Source) -> tuple[pl.Series | None, list[Finding]]:
    if spec.time is None or spec.time not in source.schema:
        return None, []
    column = source.read([spec.time])[spec.time]
    return periods.moments(column, spec.zone, path=source.ref.path)


@dataclass(frozen=True, slots=True)
class _Compared:
    """What each period is compared with."""

    spec: MonitorSpec
    every: Sequence[tuple[Period, Rows | None]]
    slices: Mapping[str, Rows] | None
    at: pl.Series | None
    note: str = ""
    kept: dict[str, Rows] = field(default_factory=dict)  # the rows of each season, found once

    @classmethod
    def of(
        cls,
        spec: MonitorSpec,
        reference: Source | None,
        every: Sequence[tuple[Period, Rows | None]],
    ) -> _Compared:
        if reference is None:
            return cls(spec, every, None, None)
        slices = slicing.sliced(spec.slices, reference, reference)
        if spec.season is None or spec.reference.before:
            return cls(spec, every, slices, None)
        at, _ = _moments(spec, reference)
        note = "" if at is not None else f"the reference has no {spec.time!r}: seasons are not kept"
        return cls(spec, every, slices, at, note)

    def rows(self, place: int, period: Period) -> tuple[Rows | None, str, str]:
        """The reference's rows, the season, and a note where it could not be kept."""
        spec = self.spec
        if spec.reference.before:
            return self._before(place, period)
        if spec.season is None or period.start is None:
            return None, "", ""
        season = seasons.season_of(period, spec.season, spec.zone)
        if self.at is None:  # a baseline knows its seasons itself
            return None, season if not self.note else "", self.note
        if season not in self.kept:
            self.kept[season] = seasons.rows_of(self.at, period, spec.season, spec.zone)
        rows = self.kept[season]
        if rows.size < spec.min_rows:
            few = f"only {rows.size} rows of the reference are of {season}: all are compared with"
            return None, "", few
        return rows, season, ""

    def _before(self, place: int, period: Period) -> tuple[Rows | None, str, str]:
        import numpy as np

        spec = self.spec
        earlier = self.every[:place]
        season = ""
        if spec.season is not None and period.start is not None:
            season = seasons.season_of(period, spec.season, spec.zone)
            earlier = [
                (p, rows)
                for p, rows in earlier
                if p.start and seasons.season_of(p, spec.season, spec.zone) == season
            ]
        parts = [rows for _, rows in earlier[-spec.reference.before :] if rows is not None]
        if not parts:
            return np.empty(0, np.int64), season, "there is no period before to compare with"
        return np.sort(np.concatenate(parts)), season, ""


def _slices(
    here: Mapping[str, Rows],
    there: Mapping[str, Rows] | None,
    rows: Rows | None,
    against: Rows | None,
) -> tuple[SliceCut, ...]:
    return tuple(
        SliceCut(
            name,
            _common(part, rows),
            None if there is None else _common(there.get(name, part[:0]), against),
        )
        for name, part in here.items()
    )


def _common(part: Rows, rows: Rows | None) -> Rows:
    """Rows in both, each ascending and without repeats."""
    import numpy as np

    return part if rows is None else np.intersect1d(part, rows, assume_unique=True)


def _ref(current: Source, rows: Rows | None, *, single: bool) -> DataRef:
    ref = current.ref
    if rows is None:
        return ref
    return replace(ref, rows=int(rows.size), digest=ref.digest if single else "")


def _about_rows(spec: MonitorSpec, current: Source, rows: Rows | None) -> list[Finding]:
    """An empty period, and ids that are there more than once."""
    if (rows is not None and not rows.size) or not current.ref.rows:
        return [Finding("empty_period", "there are no rows in this period")]
    if spec.id is None or spec.id not in current.schema:
        return []
    ids = current.read([spec.id])[spec.id]
    ids = (ids if rows is None else ids[rows]).drop_nulls()
    more = ids.len() - ids.n_unique()
    if not more:
        return []
    text = f"{more} of {ids.len()} rows have a {spec.id} that another row has, too"
    return [Finding("duplicate_ids", text, spec.id)]
