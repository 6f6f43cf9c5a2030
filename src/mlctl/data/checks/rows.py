"""The rows of a data set in a stream, split by split, with the columns as their contract says.

A row has one number over all files, from 0 and in the order of the splits; `place` tells where it
is. Nothing is kept but the number of rows of each file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from mlctl.adapters import tables
from mlctl.adapters.table_faults import Unreadable
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.reading import reading

SHOWN = 10  # rows named of each finding


@dataclass(frozen=True, slots=True)
class Split:
    """Files that belong together; the name is empty where the data set has no splits."""

    name: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: `frame` has the columns that were asked for as `c0`, `c1`, … in their order.

    `split` and `source` are their numbers, `first` is the number of the first row.
    """

    frame: pl.DataFrame
    split: int
    source: int
    first: int

    def numbered(self) -> pl.DataFrame:
        """The rows with their `split`, `source` and number, `row`."""
        return self.frame.with_columns(
            split=pl.lit(self.split, pl.Int32), source=pl.lit(self.source, pl.Int32)
        ).with_row_index("row", offset=self.first)


class Rows:
    """All rows of `splits`, whose columns are of `kinds` (by name, a contract's types)."""

    def __init__(self, splits: Sequence[Split], kinds: Mapping[str, str]) -> None:
        self.splits = tuple(splits)
        self.kinds = dict(kinds)
        self.sources = [source for split in splits for source in split.sources]
        self._split_of = [n for n, split in enumerate(splits) for _ in split.sources]
        heights = [_height(source) for source in self.sources]
        self._starts = [0, *accumulate(heights)]
        self.count = self._starts[-1]

    def height(self, split: int) -> int:
        """How many rows a split has."""
        return sum(self.height_of(n) for n, of in enumerate(self._split_of) if of == split)

    def height_of(self, source: int) -> int:
        """How many rows a file has."""
        return self._starts[source + 1] - self._starts[source]

    def place(self, row: int, source: int) -> int:
        """The number of `row` in its file, from 1."""
        return row - self._starts[source] + 1

    def said(self, row: int) -> str:
        """`row 7 of data/test.csv`, for messages; `row 7` where there is one file."""
        source = next(n for n in range(len(self.sources)) if row < self._starts[n + 1])
        name = self.sources[source].name
        return f"row {self.place(row, source)}" + (f" of {name}" if name else "")

    def batches(self, columns: Sequence[str], split: int | None = None) -> Iterator[Batch]:
        """All rows in their order, or those of one split."""
        for number, source in enumerate(self.sources):
            if split is not None and self._split_of[number] != split:
                continue
            first = self._starts[number]
            if not self.height_of(number):
                continue
            for frame in self._frames(source, columns):
                yield Batch(frame, self._split_of[number], number, first)
                first += frame.height

    def _frames(self, source: Source, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        for part in source.parts():
            lazy = part.open()
            schema = lazy.collect_schema()
            values = [
                reading(name, schema.get(name), self.kinds[name], part.types).value
                for name in columns
            ]
            asked = lazy.select(
                pl.nth(0).is_null().alias("every"),
                *(value.alias(f"c{number}") for number, value in enumerate(values)),
            )
            for frame in tables.part_batches(asked, part.types):
                yield _flat(frame.drop("every"))


def _height(source: Source) -> int:
    """The rows of a file; none where it is no table, of which its verdict tells."""
    try:
        with tables.explaining(source.path) if source.path else nullcontext():
            return sum(
                int(part.open().select(pl.len()).collect(engine="streaming").item())
                for part in source.parts()
            )
    except Unreadable:
        return 0


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Nested values as JSON, so that they can be compared."""
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    return frame.with_columns(pl.struct(n).struct.json_encode().alias(n) for n in nested)
