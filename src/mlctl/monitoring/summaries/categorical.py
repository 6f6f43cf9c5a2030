"""Categories: counts of the reference's most frequent values, and of all others together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mlctl.monitoring.drift import Array

TOP = 50  # categories of the reference; the others are counted together
PLOTTED = 7
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Categorical:
    """A column of categories: the counts of those that the frame lists, and `other`.

    `new` counts the values that the reference does not have at all, None where that is not known;
    `listed` is whether the counts have all categories of the column.
    """

    rows: int
    missing: int
    counts: Mapping[str, int]
    other: int = 0
    new: int | None = 0
    distinct: int = 0

    @property
    def present(self) -> int:
        """The number of values."""
        return self.rows - self.missing


def summarise(column: pl.Series) -> Categorical:
    """All categories of a column of text, with their counts."""
    counts = column.drop_nulls().alias("value").value_counts(name="rows")
    found = dict(zip(counts["value"].to_list(), counts["rows"].to_list(), strict=True))
    return Categorical(column.len(), column.null_count(), found, distinct=len(found))


def framed(side: Categorical, frame: Sequence[str], known: Mapping[str, int] | None) -> Categorical:
    """`side` with the categories of `frame` only; `known` are all that the reference has."""
    counts = {label: side.counts.get(label, 0) for label in frame}
    other = sum(side.counts.values()) + side.other - sum(counts.values())
    new = None if known is None else sum(n for c, n in side.counts.items() if c not in known)
    return Categorical(side.rows, side.missing, counts, other, new, side.distinct)


def frame_of(reference: Categorical, most: int = TOP) -> list[str]:
    """The most frequent categories of the reference."""
    return sorted(reference.counts, key=lambda label: (-reference.counts[label], label))[:most]


def rows_of_counts(
    reference: Categorical, current: Categorical, labels: Sequence[str]
) -> tuple[Array, Array, tuple[str, ...]]:
    """Counts of both sides in `labels`, and in one for all others where any side has such."""
    sides = []
    for side in (reference, current):
        counts = [side.counts.get(label, 0) for label in labels]
        total = sum(side.counts.values()) + side.other
        sides.append([*counts, total - sum(counts)])
    shown = [*labels, OTHER]
    if not any(side[-1] for side in sides):
        sides, shown = [side[:-1] for side in sides], list(labels)
    first, second = (np.array(side, dtype=float) for side in sides)
    return first, second, tuple(shown)
