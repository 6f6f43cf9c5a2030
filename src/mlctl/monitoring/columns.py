"""A column of the reference and of the current data, made ready for the drift metrics.

The kind of a column is inferred from the reference alone, so that the current data cannot change
how it is judged. Null, NaN and infinite values are missing; so is what does not fit the
reference's type, and the whole of a column that the current data lack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.drift import Array

Kind = Literal["numeric", "categorical", "identifier", "time", "other"]
FEW_VALUES = 12  # whole numbers of at most so many distinct values are categories
TOP_CATEGORIES = 50  # of the reference; the others are counted together
PLOT_BINS, PLOT_CATEGORIES = 10, 7
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts in the same bins or categories of both sides; `labels` for categories only.

    `ends` are the values at the left and right end of a numeric axis of equal bins; what lies
    beyond them is counted in the outer bins.
    """

    reference: Array
    current: Array
    labels: tuple[str, ...] = ()
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of one column. `rows` and `missing` are (reference, current) counts.

    `samples` are the values of a numeric column, `counts` what count metrics compare (the
    reference's deciles, or its most frequent categories), `plot` what people look at.
    `new` is the number of current values in categories that the reference lacks.
    """

    name: str
    kind: Kind
    rows: tuple[int, int]
    missing: tuple[int, int]
    samples: tuple[Array, Array] | None = None
    counts: Bins | None = None
    plot: Bins | None = None
    new: int = 0
    note: str = ""


def kind_of(column: pl.Series) -> Kind:
    """What the column holds: numbers, categories, identifiers, moments or something else."""
    import polars as pl

    dtype = column.dtype
    if dtype.is_temporal() and dtype != pl.Duration:
        return "time"
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null):
        return "other"
    distinct = column.drop_nulls().n_unique()
    if dtype.is_integer() and distinct <= FEW_VALUES:
        return "categorical"
    if dtype.is_numeric() or dtype == pl.Duration:
        return "numeric"
    if distinct > TOP_CATEGORIES and distinct > 0.5 * column.drop_nulls().len():
        return "identifier"
    return "categorical"


def pair(reference: pl.Series, current: pl.Series | None, rows: int) -> Pair:
    """Both sides of a column; `rows` is the number of current rows, should the column be gone."""
    import polars as pl

    kind = kind_of(reference)
    note = ""
    if current is None:
        note = "not in the current data"
        current = pl.Series(reference.name, [None] * rows, dtype=reference.dtype)
    elif kind != kind_of(current) and _family(reference) != _family(current):
        note = f"type changed from {reference.dtype} to {current.dtype}"
    if kind == "numeric":
        return _numeric(_as_floats(reference), _as_floats(current), note)
    first, second = _as_text(reference), _as_text(current)
    if reference.dtype.is_integer() and not current.dtype.is_integer():
        second = _as_text(_whole_numbers(current))
    if kind == "categorical":
        return _categorical(first, second, note)
    missing = (first.null_count(), second.null_count())
    return Pair(reference.name, kind, (first.len(), second.len()), missing, note=note)


def _family(column: pl.Series) -> str:
    dtype = column.dtype
    return "number" if dtype.is_numeric() else "moment" if dtype.is_temporal() else str(dtype)


def _as_floats(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.Duration:
        column = column.dt.total_microseconds() / 1e6
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return pl.Series(column.name, [None] * column.len(), dtype=pl.Float64)
    if column.dtype.is_temporal():
        column = column.cast(pl.String)
    values = column.cast(pl.Float64, strict=False)
    return values.set(~values.is_finite(), None) if values.len() else values


def _whole_numbers(column: pl.Series) -> pl.Series:
    """Numbers that a null or a CSV made floats or texts, as the integers that they were."""
    import polars as pl

    values = _as_floats(column)
    whole = values.cast(pl.Int64, strict=False)
    return whole.set((values != whole.cast(pl.Float64)).fill_null(False), None)


def _as_text(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object, pl.Null):
        return pl.Series(column.name, [None if v is None else "?" for v in column], dtype=pl.String)
    return column.cast(pl.String, strict=False)


def _numeric(reference: pl.Series, current: pl.Series, note: str) -> Pair:
    import numpy as np

    first, second = reference.drop_nulls().to_numpy(), current.drop_nulls().to_numpy()
    rows, missing = (reference.len(), current.len()), (reference.null_count(), current.null_count())
    if not first.size or not second.size:
        return Pair(reference.name, "numeric", rows, missing, note=note)
    cuts = np.unique(np.quantile(first, np.arange(1, 10) / 10))
    deciles = [
        np.bincount(np.searchsorted(cuts, side), minlength=cuts.size + 1).astype(float)
        for side in (first, second)
    ]
    if first.min() == first.max():
        note = note or "the reference is constant"
    return Pair(
        reference.name, "numeric", rows, missing, (first, second), Bins(deciles[0], deciles[1]),
        _numeric_plot(first, second), note=note,
    )  # fmt: skip


def _numeric_plot(first: Array, second: Array) -> Bins:
    import numpy as np

    # Beyond 1e300 the width of a bin would overflow.
    low = max(-1e300, float(min(np.quantile(first, 0.005), np.quantile(second, 0.005))))
    high = min(1e300, float(max(np.quantile(first, 0.995), np.quantile(second, 0.995))))
    if high <= low:
        high = low + 1.0
    sides = [
        np.histogram(np.clip(side, low, high), PLOT_BINS, (low, high))[0].astype(float)
        for side in (first, second)
    ]
    return Bins(sides[0], sides[1], ends=(low, high))


def _categorical(reference: pl.Series, current: pl.Series, note: str) -> Pair:
    first, second = _counted(reference), _counted(current)
    rows, missing = (reference.len(), current.len()), (reference.null_count(), current.null_count())
    new = sum(count for label, count in second.items() if label not in first)
    if not first or not second:
        return Pair(reference.name, "categorical", rows, missing, new=new, note=note)
    return Pair(
        reference.name, "categorical", rows, missing, None, _top(first, second, TOP_CATEGORIES),
        _top(first, second, PLOT_CATEGORIES), new, note,
    )  # fmt: skip


def _counted(column: pl.Series) -> dict[str, int]:
    counts = column.drop_nulls().alias("value").value_counts()
    return dict(zip(counts["value"].to_list(), counts["count"].to_list(), strict=True))


def _top(first: dict[str, int], second: dict[str, int], most: int) -> Bins:
    """The categories of the reference, the most frequent first, and one for all others."""
    import numpy as np

    labels = sorted(first, key=lambda label: (-first[label], label))[:most]
    sides = []
    for counts in (first, second):
        top = [counts.get(label, 0) for label in labels]
        sides.append([*top, sum(counts.values()) - sum(top)])
    if not any(side[-1] for side in sides):
        sides = [side[:-1] for side in sides]
    else:
        labels = [*labels, OTHER]
    reference, current = (np.array(side, dtype=float) for side in sides)
    return Bins(reference, current, tuple(labels))
