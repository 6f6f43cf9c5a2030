"""The rows of a data set in a stream, split by split, with the columns as their contract says.

A row has one number over all files, from 0 and in the order of the splits; `place` tells where it
is. Nothing is kept but the number of rows of each file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from mlctl.adapters import tables
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.reading import reading
from mlctl.errors import Busy

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

    def numbered(self, frame: pl.DataFrame | None = None) -> pl.DataFrame:
        """The rows (or `frame`, made of them) with their `split`, `source` and number, `row`."""
        return (
            (self.frame if frame is None else frame)
            .with_columns(split=pl.lit(self.split, pl.Int32), source=pl.lit(self.source, pl.Int32))
            .with_row_index("row", offset=self.first)
        )


class Rows:
    """All rows of `splits`, whose columns are of `kinds` (by name, a contract's types).

    Raises Unreadable for a file that is no table.
    """

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
        """All rows in their order, or those of one split.

        Raises Busy for a file that has other rows than when they were counted, and Unreadable.
        """
        for number, source in enumerate(self.sources):
            if split is not None and self._split_of[number] != split:
                continue
            first, end = self._starts[number : number + 2]
            if first == end:
                continue
            with _explaining(source):
                for frame in self._frames(source, columns):
                    yield Batch(frame, self._split_of[number], number, first)
                    first += frame.height
            if first != end:
                said = f"{source.path or source.name} changed while it was read"
                raise Busy(said, hint="run the command again")

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
                yield frame.drop("every")


def comparable(frame: pl.DataFrame, kinds: Sequence[str]) -> pl.DataFrame:
    """Columns `c0`, … of `kinds`, of which those of any type are made texts.

    Their types may differ from file to file, and nested values cannot be compared.
    """
    free = [f"c{number}" for number, kind in enumerate(kinds) if kind == "any"]
    return frame.with_columns(_as_text(name, frame.schema[name]) for name in free)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_nested():
        return pl.struct(name).struct.json_encode().alias(name)
    return pl.col(name).bin.encode("hex") if dtype == pl.Binary else pl.col(name).cast(pl.String)


def _height(source: Source) -> int:
    with _explaining(source):
        return sum(
            int(part.open().select(pl.len()).collect(engine="streaming").item())
            for part in source.parts()
        )


def _explaining(source: Source) -> AbstractContextManager[None]:
    return tables.explaining(source.path) if source.path else nullcontext()
