"""What one split knows of another: values of a key in both, and times that do not come after."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import polars as pl

from mlctl.data.checks.duplicates import compared, row_hash, told
from mlctl.data.checks.finding import Finding
from mlctl.data.checks.groups import Groups, repeats
from mlctl.data.checks.rows import SHOWN, Rows


def keys(rows: Rows, columns: Sequence[str]) -> list[Finding]:
    """Rows whose `columns` hold values that stand in an earlier split too; none is missing there.

    In memory are the hashes of the distinct values of one split at a time, and what is shared.
    """
    found = []
    for early, late in combinations(range(len(rows.splits)), 2):
        shared = _shared(rows, columns, early, late)
        if not shared.len():
            continue
        groups = Groups([f"c{i}" for i in range(len(columns))])
        for split in (early, late):
            for batch, frame in compared(rows, columns, split):
                is_shared = _present_hash(frame).is_in(shared.implode())
                groups.add(batch.numbered(frame).filter(is_shared.fill_null(False)))
        whole = groups.whole()
        if whole is not None:
            across = [item for item in repeats(whole) if item.split != item.of]
            found += told(rows, across, f"leakage of key {', '.join(columns)}", 0.0)
    return found


def _shared(rows: Rows, columns: Sequence[str], early: int, late: int) -> pl.Series:
    """The hashes that stand in both splits."""
    empty = pl.Series([], dtype=pl.UInt64)
    later = empty
    for _, frame in compared(rows, columns, late):
        later = pl.concat([later, _present_hash(frame).drop_nulls().unique()])
    later = later.unique()
    shared = empty
    for _, frame in compared(rows, columns, early):
        hashes = _present_hash(frame).drop_nulls().unique()
        shared = pl.concat([shared, hashes.filter(hashes.is_in(later.implode()))])
    return shared.unique()


def _present_hash(frame: pl.DataFrame) -> pl.Series:
    """64 bits of each row's values; null where one is missing."""
    missing = frame.select(pl.any_horizontal(pl.all().is_null())).to_series()
    return row_hash(frame).set(missing, None)


def times(rows: Rows, column: str, *, shows_values: bool = True) -> list[Finding]:
    """Rows of a split that are not later than the last row of the split before it.

    Of the two splits the one with fewer such rows is said to be at fault.
    """
    spans = [_span(rows, column, split) for split in range(len(rows.splits))]
    found = []
    for early, late in combinations(range(len(rows.splits)), 2):
        last, first = spans[early][1], spans[late][0]
        if last is None or first is None or last < first:
            continue
        too_late = _marked(rows, column, early, pl.col("c0") >= first)
        too_early = _marked(rows, column, late, pl.col("c0") <= last)
        names = rows.splits[early].name, rows.splits[late].name
        check = f"leakage of time from {names[1]} into {names[0]}"
        if sum(n for _, n, _ in too_early) <= sum(n for _, n, _ in too_late):
            mine, said, end = (late, too_early), f"not after the end of {names[0]}", last
        else:
            mine, said, end = (early, too_late), f"not before the start of {names[1]}", first
        said += f", {_plain(end)}" if shows_values else ""
        total = rows.height(mine[0])
        for source, count, shown in mine[1]:
            detail = f"{count} of {total} rows of {rows.splits[mine[0]].name} are {said}"
            found.append(
                Finding(check, column, source, count, count / total,
                        tuple(shown["row"].to_list()), tuple(map(_plain, shown["c0"])), detail)
            )  # fmt: skip
    return found


def _span(rows: Rows, column: str, split: int) -> tuple[Any, Any]:
    """The first and the last time of a split; None where it has none."""
    ends = [(b.frame["c0"].min(), b.frame["c0"].max()) for b in rows.batches([column], split)]
    present: list[Any] = [end for pair in ends for end in pair if end is not None]
    return (min(present), max(present)) if present else (None, None)


def _marked(
    rows: Rows, column: str, split: int, marks: pl.Expr
) -> list[tuple[int, int, pl.DataFrame]]:
    """The rows of a split that `marks` names: source, count and the first ones."""
    found: dict[int, tuple[int, pl.DataFrame]] = {}
    for batch in rows.batches([column], split):
        mine = batch.numbered().filter(marks)
        if mine.height:
            count, shown = found.get(batch.source, (0, mine.clear()))
            shown = pl.concat([shown, mine.head(SHOWN - shown.height)])
            found[batch.source] = (count + mine.height, shown)
    return [(source, count, shown) for source, (count, shown) in found.items()]


def _plain(value: Any) -> Any:
    """As JSON holds it."""
    return value.isoformat() if hasattr(value, "isoformat") else value
