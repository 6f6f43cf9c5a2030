"""Labels that come late: joined by id, the newest of each, null as long as they are not known."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from mlctl.monitoring.cuts import Period
from mlctl.monitoring.results import Finding, LabelState
from mlctl.monitoring.spec import Labels


def joined(
    rows: pl.DataFrame, labels: pl.DataFrame | None, spec: Labels
) -> tuple[pl.Series, list[Finding]]:
    """The label of each row, null where it is not known, and what was odd about the labels.

    Of several labels of one id the one with the latest time counts, of equal times the last.
    """
    if spec.where is None:
        column = rows[spec.column] if spec.column in rows.columns else None
        return _or_null(column, rows.height), []
    if labels is None or spec.key not in rows.columns or spec.column not in labels.columns:
        return _or_null(None, rows.height), []
    known = labels.drop_nulls(spec.column)
    if spec.time and spec.time in known.columns:
        known = known.sort(spec.time, maintain_order=True)
    key = rows[spec.key]
    theirs = known[spec.key]
    findings = []
    if key.dtype != theirs.dtype:
        key, theirs = key.cast(pl.String, strict=False), theirs.cast(pl.String, strict=False)
        known = known.with_columns(theirs)
    mine = known.filter(theirs.is_in(key.unique().implode()))
    double = mine.height - mine[spec.key].n_unique()
    if double:
        text = f"{double} labels are of an id that has a later one"
        findings.append(Finding("duplicate_labels", text, spec.key, "info"))
    mine = mine.unique(spec.key, keep="last", maintain_order=True)
    pairs = pl.DataFrame({spec.key: key}).join(
        mine.select(spec.key, pl.col(spec.column).alias("__label")),
        on=spec.key,
        how="left",
        maintain_order="left",
    )
    return pairs["__label"], findings


def state(
    truth: pl.Series, labels: pl.DataFrame | None, spec: Labels, period: Period
) -> LabelState:
    """How many labels are known, and whether more are waited for.

    The moment that counts as now is the newest in the labels: nothing here asks a clock.
    """
    known, rows = truth.len() - truth.null_count(), truth.len()
    if known == rows and rows:
        return LabelState("final", known, rows)
    if labels is not None and spec.time and spec.time in labels.columns and period.end:
        newest = _newest(labels[spec.time])
        if newest is not None and newest >= period.end + timedelta(seconds=spec.wait):
            return LabelState("final", known, rows)
    return LabelState("partial" if known else "estimated", known, rows)


def strangers(rows: pl.DataFrame, labels: pl.DataFrame | None, spec: Labels) -> list[Finding]:
    """Labels of ids that no prediction has."""
    if labels is None or spec.key not in rows.columns or spec.key not in labels.columns:
        return []
    ours, theirs = (side[spec.key].drop_nulls().unique() for side in (rows, labels))
    if ours.dtype != theirs.dtype:
        ours, theirs = (side.cast(pl.String, strict=False) for side in (ours, theirs))
    count = int((~theirs.is_in(ours.implode())).sum())
    if not count:
        return []
    text = f"{count} labels are of an id that no prediction has"
    return [Finding("labels_without_predictions", text, spec.key, "info")]


def _newest(column: pl.Series) -> datetime | None:
    if column.dtype == pl.String:
        column = column.str.to_datetime(strict=False, time_zone="UTC")
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if not isinstance(column.dtype, pl.Datetime):
        return None
    if column.dtype.time_zone is None:
        column = column.dt.replace_time_zone("UTC")
    newest = column.dt.convert_time_zone("UTC").max()
    return newest if isinstance(newest, datetime) else None


def _or_null(column: pl.Series | None, rows: int) -> pl.Series:
    return pl.Series("__label", [None] * rows) if column is None else column
