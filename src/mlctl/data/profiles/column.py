"""What a profile knows of one column, from its values or from a record, and how two are merged.

Numbers stand for themselves, booleans for 0 and 1, dates for days and datetimes for seconds since
1970 (UTC). Missing are null and NaN; infinite values are counted, and are in no other figure but
the number of distinct values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlctl.data.profiles.distinct import Distinct
from mlctl.data.profiles.frequent import KEPT, Frequent
from mlctl.data.profiles.hashing import of_numbers, of_texts
from mlctl.data.profiles.moments import Moments
from mlctl.data.profiles.quantiles import Piece, Quantiles

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["int", "float", "str", "bool", "date", "datetime", "other"]
KINDS: tuple[Kind, ...] = ("int", "float", "str", "bool", "date", "datetime", "other")

_SAMPLE = 4096  # values that tell whether a text column has many distinct ones


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `rows` rows.

    `shown` says that single values may be told: `frequent`, `low` and `high` are there only then.
    """

    name: str
    kind: Kind
    rows: int
    nulls: int
    infinite: int = 0
    shown: bool = False
    distinct: Distinct | None = None
    quantiles: Quantiles = field(default_factory=Quantiles)
    moments: Moments = field(default_factory=Moments)
    frequent: Frequent | None = None
    low: float | None = None
    high: float | None = None

    @property
    def values(self) -> int:
        """How many values there are."""
        return self.rows - self.nulls

    @property
    def piece(self) -> Piece | None:
        """The quantiles as they may be told."""
        return self.quantiles.piece() if self.shown else self.quantiles.protected()

    def merge(self, other: Column) -> Column:
        """Both together. Raises ValueError where they are not the same column."""
        if (self.name, self.kind) != (other.name, other.kind):
            raise ValueError(f"{self.name} ({self.kind}) is not {other.name} ({other.kind})")
        shown = self.shown and other.shown
        distinct = frequent = None
        if self.distinct is not None and other.distinct is not None:
            distinct = self.distinct.merge(other.distinct)
        if shown and self.frequent is not None and other.frequent is not None:
            frequent = self.frequent.merge(other.frequent)
        lows = [side.low for side in (self, other) if side.low is not None and shown]
        highs = [side.high for side in (self, other) if side.high is not None and shown]
        return Column(
            self.name, self.kind, self.rows + other.rows, self.nulls + other.nulls,
            self.infinite + other.infinite, shown, distinct, self.quantiles.merge(other.quantiles),
            self.moments.merge(other.moments), frequent, min(lows, default=None),
            max(highs, default=None),
        )  # fmt: skip


def of_series(series: pl.Series, kind: Kind, *, shown: bool) -> Column:
    """The profile of a column's values; `series` has a type that `canonical` gives for `kind`."""
    rows, name = series.len(), series.name
    present = series.alias("value").drop_nulls()  # Polars takes some names for patterns
    if kind == "other":
        return Column(name, kind, rows, rows - present.len(), shown=shown)
    if kind == "str":
        distinct, frequent = _texts(present, shown)
        nulls = rows - present.len()
        return Column(name, kind, rows, nulls, 0, shown, distinct, frequent=frequent)
    return _numbers(name, kind, rows, present, shown)


def _numbers(name: str, kind: Kind, rows: int, present: pl.Series, shown: bool) -> Column:
    import polars as pl

    if kind in {"bool", "date", "datetime"}:
        present = present.cast(pl.Int64)  # days, microseconds
    values = present.to_numpy()
    if kind == "float":
        values = values[~np.isnan(values)]
    ordered = np.sort(values)
    new = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    unique = ordered if new.all() else ordered[new]
    distinct = Distinct.of(of_numbers(unique))
    finite = ordered
    if kind == "float" and ordered.size and not np.isfinite(ordered[[0, -1]]).all():
        finite = ordered[np.isfinite(ordered)]
    numbers = _as_told(finite, kind)
    frequent = low = high = None
    if shown:
        exactly = _as_told(unique, kind) + 0.0 if kind in {"float", "datetime"} else unique  # no -0
        if unique.size == ordered.size > KEPT:
            frequent = Frequent(missed=1)
        else:
            frequent = _frequent(exactly, np.diff(np.flatnonzero(new), append=ordered.size))
        if finite.size:
            low, high = exactly[np.isfinite(exactly)][[0, -1]].tolist()
    quantiles = Quantiles() if kind == "bool" else Quantiles.of(numbers)
    return Column(
        name, kind, rows, rows - ordered.size, ordered.size - finite.size, shown, distinct,
        quantiles, Moments.of(numbers), frequent, low, high,
    )  # fmt: skip


def _as_told(values: np.ndarray[Any, Any], kind: Kind) -> np.ndarray[Any, Any]:
    numbers = values.astype(np.float64, copy=False)
    return numbers / 1e6 if kind == "datetime" else numbers


def _frequent(values: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> Frequent:
    """The most frequent of distinct `values`: all that are more frequent than what is left out."""
    finite = np.isfinite(values)
    values, counts, missed = values[finite], counts[finite], 0
    if counts.size > KEPT:
        missed = int(np.partition(counts, -KEPT - 1)[-KEPT - 1])
        more = counts > missed
        values, counts = values[more], counts[more]
    return Frequent(dict(zip(values.tolist(), counts.tolist(), strict=True)), missed)


def _texts(present: pl.Series, shown: bool) -> tuple[Distinct, Frequent | None]:
    if present.head(_SAMPLE).n_unique() <= _SAMPLE // 2:
        counted = present.value_counts()
        distinct = Distinct.of(of_texts(counted["value"]))
        return distinct, _counted(counted, 0) if shown else None
    hashes = of_texts(present)
    unique, counts = np.unique(hashes, return_counts=True)
    distinct = Distinct.of(unique)
    if not shown:
        return distinct, None
    often = counts >= max(2, present.len() // KEPT)
    missed = int(counts[~often].max(initial=0))
    heavy = present.filter(np.isin(hashes, unique[often]))
    return distinct, _counted(heavy.value_counts(), missed)


def _counted(counted: pl.DataFrame, missed: int) -> Frequent:
    pairs = counted.top_k(4 * KEPT, by="count").rows()
    if counted.height > len(pairs):
        missed = max(missed, pairs[-1][1])
        pairs = [pair for pair in pairs if pair[1] > missed]
    return Frequent(dict(pairs), missed).top(KEPT)
