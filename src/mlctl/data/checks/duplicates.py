"""Rows that stand more than once, within a split and across splits.

Each row is hashed to 64 bits (for near-duplicates several times, see `similarity`). Hashes that
come twice are found on disk where they are many; only the rows behind them are read again, and
their values compared. So nothing is reported that is not there, and what is kept grows with the
repeated rows, not with the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from mlctl.adapters.spill import Spill
from mlctl.data.checks.finding import Finding
from mlctl.data.checks.groups import Groups, Repeat, repeats
from mlctl.data.checks.rows import SHOWN, Batch, Rows, comparable
from mlctl.data.checks.similarity import Similarity, alike
from mlctl.data.contracts.finding import gathered
from mlctl.data.contracts.model import Duplicates, NearDuplicates
from mlctl.data.contracts.repeats import Repeats

_HASHES = 4_000_000  # in memory, over all bands
_AT_ONCE = 1_000_000  # hashes whose rows are compared in one pass
_SAID = 3  # pairs of rows that a message names


def exact(rows: Rows, wanted: Duplicates, spill: Spill) -> list[Finding]:
    """Rows that are equal to an earlier one in the columns `wanted`; missing equals missing."""
    columns = wanted.columns or tuple(rows.kinds)
    seen = Repeats(spill, _HASHES)
    for _, frame in compared(rows, columns):
        seen.add(row_hash(frame))
    found: list[Repeat] = []
    for hashes in gathered(seen.twice(), _AT_ONCE):
        groups = Groups([f"c{i}" for i in range(len(columns))])
        for batch, frame in compared(rows, columns):
            is_repeated = row_hash(frame).is_in(hashes.implode())
            groups.add(batch.numbered(frame).filter(is_repeated))
        if (whole := groups.whole()) is not None:
            found += repeats(whole)
    named = f" in {', '.join(wanted.columns)}" if wanted.columns else ""
    return told(rows, found, f"duplicates{named}", wanted.max)


def near(rows: Rows, wanted: NearDuplicates, spill: Spill) -> list[Finding]:
    """Rows whose columns `wanted` are as similar to an earlier row's as it says, or more."""
    measure = Similarity.of(rows, wanted)
    seen = [Repeats(spill, _HASHES // measure.bands) for _ in range(measure.bands)]
    kept = []  # each batch's hashes: they cost more than the disk that holds them
    for batch in rows.batches(wanted.columns):
        hashes = measure.hashes(batch.frame)
        kept.append([spill.put(band) for band in hashes])
        for repeated, band in zip(seen, hashes, strict=True):
            repeated.add(band)
    twice = [pl.concat([pl.Series([], dtype=pl.UInt64), *one.twice()]).implode() for one in seen]
    found: list[Repeat] = []
    if any(band.list.len()[0] for band in twice):
        share_a_band = pl.concat(
            pl.select(
                pl.any_horizontal(
                    spill.get(extent).is_in(band)
                    for extent, band in zip(extents, twice, strict=True)
                )
            ).to_series()
            for extents in kept
        )
        groups = Groups([f"c{i}" for i in range(len(wanted.columns))])
        for batch in rows.batches(wanted.columns):
            mine = share_a_band.slice(batch.first, batch.frame.height)
            groups.add(batch.numbered().filter(mine))
        whole = groups.whole()
        if whole is not None:
            found = repeats(whole, alike(whole, measure))
    check = f"near-duplicates {wanted.similarity:g} in {', '.join(wanted.columns)}"
    return told(rows, found, check, wanted.max)


def compared(
    rows: Rows, columns: Sequence[str], split: int | None = None
) -> Iterator[tuple[Batch, pl.DataFrame]]:
    """All batches, or those of a split, with their rows made comparable."""
    kinds = [rows.kinds[name] for name in columns]
    for batch in rows.batches(columns, split):
        yield batch, comparable(batch.frame, kinds)


def row_hash(frame: pl.DataFrame) -> pl.Series:
    """64 bits of each row's values together."""
    return frame.select(pl.struct(pl.all()).hash()).to_series()


def told(rows: Rows, found: Sequence[Repeat], check: str, most: float) -> list[Finding]:
    """Findings for each file, where a split has more than the share `most` of such rows."""
    findings = []
    for split, of in sorted({(item.split, item.of) for item in found}):
        mine = [item for item in found if (item.split, item.of) == (split, of)]
        total = rows.height(split)
        if sum(item.count for item in mine) <= most * total:
            continue
        name, other = rows.splits[split].name, rows.splits[of].name
        place = (f" in {name}" if split == of else f" of {other} in {name}") if name else ""
        for item in _by_file(mine):
            share = item.count / total
            pairs = zip(item.rows[:_SAID], item.repeated, strict=False)
            said = ", ".join(
                f"row {rows.place(row, item.source)} as {rows.said(at)}" for row, at in pairs
            )
            more = ", …" if item.count > _SAID else ""
            detail = f"{item.count} of {total} rows ({share:.2%}): {said}{more}"
            findings.append(
                Finding(f"{check}{place}", "", item.source, item.count, share, item.rows,
                        detail=detail)
            )  # fmt: skip
    return findings


def _by_file(found: Sequence[Repeat]) -> Iterator[Repeat]:
    """One for each file; there were several passes where there were many."""
    for source in sorted({item.source for item in found}):
        mine = [item for item in found if item.source == source]
        pairs = sorted(
            {pair for item in mine for pair in zip(item.rows, item.repeated, strict=True)}
        )
        first = pairs[:SHOWN]
        yield Repeat(
            mine[0].split, mine[0].of, source, sum(item.count for item in mine),
            tuple(row for row, _ in first), tuple(at for _, at in first),
        )  # fmt: skip
