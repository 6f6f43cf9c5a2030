"""What there is to know of a table's columns before a contract is guessed.

A table of any size is read in a stream: an even sample of its rows, in their order, tells what a
column is like, and the whole file is asked for what a sample cannot say (missing values, extremes,
whether all values read as the type, the counts of few values, uniqueness).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlctl.data.contracts import naming
from mlctl.data.contracts.model import ORDERED, Kind
from mlctl.data.contracts.reading import conversion

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 200_000  # rows looked at closely; a table of fewer is looked at whole
MOST_VALUES = 50  # distinct values whose counts are kept
_MOST_DISTINCT = 20_000_000  # rows up to which ids are checked for being unique (about 1 GB)
_FIRST_LOOK = 2000  # values that decide whether a type is tried on the whole sample
_LEADING_ZERO = r"^[+-]?0[0-9]"
_TRIED: tuple[Kind, ...] = ("bool", "int", "float", "date", "datetime", "str")


@dataclass(frozen=True, slots=True)
class Facts:
    """A column of `rows` rows. `sample` holds values that are there, in file order, as `kind`.

    `low` and `high` are those of the whole file, as are `values` (the count of each distinct value,
    where they are few) and `unique` (all values are there, each once).
    """

    name: str
    kind: Kind
    dtype: str
    rows: int
    missing: int
    sample: pl.Series
    low: Any = None
    high: Any = None
    values: Mapping[Any, int] | None = None
    unique: bool = False

    @property
    def present(self) -> int:
        """How many values are there."""
        return self.rows - self.missing


def survey(
    lazy: pl.LazyFrame, *, text: bool, wanted: Mapping[str, Kind] | None = None
) -> list[Facts]:
    """The facts of each column; `text` says that all of them come as text (CSV).

    A column is of the kind that is `wanted` where it can be, else of the first that fits.

    Raises a PolarsError where the table cannot be read.
    """
    import polars as pl

    rows = int(lazy.select(pl.len()).collect(engine="streaming").item())
    sample = _sampled(lazy, rows)
    tried = {s.name: _tried((wanted or {}).get(s.name)) for s in sample}
    kinds = {s.name: _kind(s, tried[s.name], text=text) for s in sample}
    while sample.height < rows and (unfit := _unfit(lazy, sample, kinds, text=text)):
        for name in unfit:
            tried[name] = [kind for kind in tried[name] if kind != kinds[name]]
            kinds[name] = _kind(sample[name], tried[name], text=text)
    typed = _typed(sample, kinds, text=text)
    whole = lazy.select(
        e for name, kind in kinds.items() for e in _asked(sample[name], kind, rows, text=text)
    )
    told = whole.collect(engine="streaming").row(0, named=True)
    few = [name for name, series in typed.items() if _is_few(series, kinds[name])]
    counts = _counts(lazy, sample, {name: kinds[name] for name in few}, text=text)
    return [
        Facts(
            name=name,
            kind=kinds[name],
            dtype=str(series.dtype),
            rows=rows,
            missing=told[f"missing {name}"],
            sample=typed[name],
            low=told.get(f"low {name}"),
            high=told.get(f"high {name}"),
            values=counts.get(name),
            unique=rows > 0 and told.get(f"distinct {name}") == rows,
        )
        for name, series in zip(sample.columns, sample, strict=True)
    ]


def _sampled(lazy: pl.LazyFrame, rows: int) -> pl.DataFrame:
    import polars as pl

    step = -(-rows // SAMPLE)
    if step <= 1:
        return lazy.collect()
    taken = set(lazy.collect_schema().names())
    index = next(name for n in range(len(taken) + 1) if (name := f"row {n}") not in taken)
    every = lazy.with_row_index(index).filter(pl.col(index) % step == 0).drop(index)
    return every.collect(engine="streaming")


def read_as(series: pl.Series, kind: Kind, *, text: bool) -> pl.Expr | None:
    """The values of a column like `series` as `kind`, null where one does not read as such.

    None where the types do not fit at all. NaN is missing.
    """
    import polars as pl

    if kind == "any":
        return pl.col(series.name)
    found = conversion(series.name, series.dtype, kind, "none" if text else "column")
    if found is None:
        return None
    return (found.fill_nan(None) if kind == "float" else found).alias(series.name)


def _tried(wanted: Kind | None) -> list[Kind]:
    return list(_TRIED) if wanted is None else list(dict.fromkeys((wanted, *_TRIED)))


def _kind(series: pl.Series, tried: Iterable[Kind], *, text: bool) -> Kind:
    """The first of the kinds that every value of the sample reads as."""
    if series.null_count() == series.len():
        return "str" if text else "any"
    for kind in tried:
        if kind == "bool" and series.dtype.is_numeric():
            continue
        if text and kind in {"int", "float"} and _has_leading_zeros(series):
            continue  # 007 is a code, not a number
        if all(_fits(part, kind, text=text) for part in (series.head(_FIRST_LOOK), series)):
            return kind
    return "any"


def _has_leading_zeros(series: pl.Series) -> bool:
    return bool(series.str.contains(_LEADING_ZERO).any())


def _fits(series: pl.Series, kind: Kind, *, text: bool) -> bool:
    read = read_as(series, kind, text=text)
    if read is None:
        return False
    found = series.to_frame().select(read).to_series()
    nan = int(series.is_nan().sum()) if series.dtype.is_float() else 0
    return found.null_count() == series.null_count() + nan


def _typed(sample: pl.DataFrame, kinds: Mapping[str, Kind], *, text: bool) -> dict[str, pl.Series]:
    found = {}
    for series in sample:
        read = read_as(series, kinds[series.name], text=text)
        values = series if read is None else series.to_frame().select(read).to_series()
        found[series.name] = values.drop_nulls()
    return found


def _unfit(
    lazy: pl.LazyFrame, sample: pl.DataFrame, kinds: Mapping[str, Kind], *, text: bool
) -> list[str]:
    """The columns of which some value, outside of the sample, does not read as their kind."""
    import polars as pl

    asked = []
    for name, kind in kinds.items():
        read = read_as(sample[name], kind, text=text)
        if sample[name].dtype == pl.String and kind != "str" and read is not None:
            misread = read.is_null() & pl.col(name).is_not_null()
            if text and kind in {"int", "float"}:
                misread |= pl.col(name).str.contains(_LEADING_ZERO)
            asked.append(misread.any().alias(name))
    if not asked:
        return []
    told = lazy.select(asked).collect(engine="streaming").row(0, named=True)
    return [name for name, is_unfit in told.items() if is_unfit]


def _asked(series: pl.Series, kind: Kind, rows: int, *, text: bool) -> Iterable[pl.Expr]:
    """What the whole file is asked about a column."""
    read = read_as(series, kind, text=text)
    if read is None:
        return
    name = series.name
    yield read.null_count().alias(f"missing {name}")
    if kind in ORDERED:
        yield read.min().alias(f"low {name}")
        yield read.max().alias(f"high {name}")
    if rows <= _MOST_DISTINCT and _may_be_identity(series, kind):
        yield read.n_unique().alias(f"distinct {name}")


def _may_be_identity(series: pl.Series, kind: Kind) -> bool:
    """Whether it is worth the memory to ask if each value stands there once."""
    if kind not in {"int", "str"} or not 1 < series.n_unique() == series.len():
        return False
    is_uuid = kind == "str" and series.cast(str).head(1).str.contains(naming.UUID).all()
    return naming.is_id(series.name) or bool(is_uuid)


def _is_few(series: pl.Series, kind: Kind) -> bool:
    return kind in {"int", "float", "str"} and 0 < series.n_unique() <= MOST_VALUES


def _counts(
    lazy: pl.LazyFrame, sample: pl.DataFrame, kinds: Mapping[str, Kind], *, text: bool
) -> dict[str, dict[Any, int]]:
    """How often each value stands in the whole file; without columns where they are many."""
    import polars as pl

    queries = []
    for name, kind in kinds.items():
        read = read_as(sample[name], kind, text=text)
        if read is not None:
            queries.append(lazy.select(read.alias("value")).group_by("value").len("count"))
    found = {}
    for name, frame in zip(kinds, pl.collect_all(queries, engine="streaming"), strict=True):
        pairs = frame.drop_nulls("value").sort("value")
        if pairs.height <= MOST_VALUES:
            found[name] = dict(pairs.rows())
    return found
