"""Which hashes come more than once, for more of them than memory holds.

Hashes are gathered, sorted, and put on disk as runs, each cut into cells by its highest bits. Equal
hashes lie in the same cell of every run, so at the end one cell of all runs is looked at at a time.
A run keeps each hash twice at most: that is all that the question needs, and a column with one
value only stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlctl.adapters.spill import Extent, Spill

if TYPE_CHECKING:
    import polars as pl

_CELL_BITS = 6


class Repeats:
    """The hashes of one rule; up to `limit` of them are in memory."""

    def __init__(self, spill: Spill, limit: int) -> None:
        self._spill = spill
        self._limit = limit
        self._pending: list[pl.Series] = []
        self._count = 0
        self._runs: list[list[Extent]] = []

    def add(self, hashes: pl.Series) -> None:
        """Take in hashes (64 bits, without nulls). Raises OSError where the disk is full."""
        self._pending.append(hashes)
        self._count += hashes.len()
        if self._count >= self._limit:
            self._runs.append([self._spill.put(cell) for cell in _cells(self._sorted())])

    def twice(self) -> Iterator[pl.Series]:
        """The hashes that came more than once, each once, in pieces."""
        import polars as pl

        rest = self._sorted()
        if not self._runs:
            yield _repeated(rest)
            return
        for number, cell in enumerate(_cells(rest)):
            stored = [self._spill.get(run[number]) for run in self._runs]
            yield _repeated(pl.concat([cell, *stored]).sort())

    def _sorted(self) -> pl.Series:
        """What is in memory, sorted, each hash twice at most; it is then no longer held."""
        import polars as pl

        empty = pl.Series("hash", [], dtype=pl.UInt64)
        whole = pl.concat([empty, *(s.rename("hash") for s in self._pending)]).sort()
        self._pending, self._count = [], 0
        return whole.filter((whole != whole.shift(2)).fill_null(True))


def _cells(hashes: pl.Series) -> list[pl.Series]:
    """Sorted `hashes`, cut by their highest bits."""
    import polars as pl

    cells = 1 << _CELL_BITS
    firsts = pl.Series([cell << (64 - _CELL_BITS) for cell in range(cells)], dtype=pl.UInt64)
    starts = [*hashes.search_sorted(firsts).to_list(), hashes.len()]
    return [hashes.slice(starts[i], starts[i + 1] - starts[i]) for i in range(cells)]


def _repeated(hashes: pl.Series) -> pl.Series:
    """The values that stand more than once in sorted `hashes`."""
    again = hashes.filter((hashes == hashes.shift(1)).fill_null(False))
    return again.filter((again != again.shift(1)).fill_null(True))
