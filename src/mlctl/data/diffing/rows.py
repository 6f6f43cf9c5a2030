"""Two versions of a table compared row by row: by a key, or by whole rows. Every count is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from mlctl.data.profiles.marks import Marks
from mlctl.data.profiles.opening import TableFile, Tables, naming, read_tables

if TYPE_CHECKING:
    import polars as pl

_MOST_LABELS = 20
_HERE, _NEW = "\0here", "\0new"  # names that no table has


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Numbers of rows; `key` is empty where whole rows were compared, and `why` says why.

    `columns` are numbers of changed values by column, and `labels` numbers of rows by (old, new)
    label, both for rows with the same key. `ignored` are columns that only one side has, or whose
    types cannot be compared.
    """

    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    same: int
    why: str = ""
    columns: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], int] = field(default_factory=dict)
    relabelled: int = 0
    ignored: tuple[str, ...] = ()


def compare_rows(
    old: Sequence[TableFile], new: Sequence[TableFile], marks: Marks
) -> RowChanges | None:
    """The rows of the files `old` against those of `new`; None where no column is in both.

    Raises InvalidInput for a file that does not parse.
    """
    return read_tables([*old, *new], marks, partial(_compare, split=len(old), marks=marks))


def _compare(tables: Tables, *, split: int, marks: Marks) -> RowChanges | None:
    import polars as pl
    from polars.selectors import by_name

    each = [set(columns) for columns in tables.columns]
    shared = set.intersection(*each) - {n for n, kind in tables.kinds.items() if kind == "other"}
    common = [name for name in tables.columns[-1] if name in shared]
    if not common:
        return None
    ignored = tuple(sorted(set.union(*each) - shared))
    with naming(" and ".join(dict.fromkeys(file.name for file in tables.files))):
        frames = [frame.select(by_name(*common)) for frame in tables.frames]
        sides = [pl.concat(part).collect() for part in (frames[:split], frames[split:])]
        key, why = _usable(marks.key, common, sides)
        label = marks.label if marks.label in common and marks.label in marks.shown else None
        found = _by_key(sides, key, label) if key else _by_row(sides)
    return replace(found, key=key, why=why, ignored=ignored)


def _usable(
    key: tuple[str, ...], common: Sequence[str], sides: Sequence[pl.DataFrame]
) -> tuple[tuple[str, ...], str]:
    """The key, or none and why: without one that names each row once, rows have no identity."""
    if not key:
        return (), "no contract names a key"
    missing = [name for name in key if name not in common]
    if missing:
        return (), f"{missing[0]}, which is of the key, is not in both"
    for side in sides:
        if side.select(key).is_duplicated().any():
            return (), f"the key {', '.join(key)} names several rows"
    return key, ""


def _by_key(sides: Sequence[pl.DataFrame], key: tuple[str, ...], label: str | None) -> RowChanges:
    import polars as pl

    old, new = (side.lazy().with_columns(pl.lit(True).alias(_HERE)) for side in sides)
    others = [name for name in sides[0].columns if name not in key]
    joined = old.join(
        new, on=list(key), how="full", suffix=_NEW, coalesce=True, nulls_equal=True
    ).collect()
    before, after = joined[_HERE].is_not_null(), joined[_HERE + _NEW].is_not_null()
    both = joined.filter(before & after)
    differs = {
        name: both[name].alias("value").ne_missing(both[name + _NEW].alias("value"))
        for name in others
    }
    any_of = pl.DataFrame(differs).select(pl.any_horizontal(pl.all())) if differs else None
    changed = int(any_of.to_series().sum()) if any_of is not None else 0
    columns = {name: int(flags.sum()) for name, flags in differs.items()}
    labels = both.filter(differs[label]) if label in differs else both.clear()
    return RowChanges(
        key=key,
        added=joined.height - int(before.sum()),
        removed=joined.height - int(after.sum()),
        changed=changed,
        same=both.height - changed,
        columns={name: n for name, n in sorted(columns.items(), key=lambda i: (-i[1], i[0])) if n},
        labels=_moves(labels, label) if label in differs else {},
        relabelled=labels.height,
    )


def _moves(rows: pl.DataFrame, label: str) -> dict[tuple[str, str], int]:
    import polars as pl

    pairs = rows.select(pl.col(label, label + _NEW).cast(pl.String)).rows()
    counts = Counter((old or "missing", new or "missing") for old, new in pairs)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_LABELS])


def _by_row(sides: Sequence[pl.DataFrame]) -> RowChanges:
    """Rows as wholes, each as often as it is there; equal are rows of one 64-bit hash."""
    import polars as pl

    old, new = (side.select(pl.struct(pl.all()).hash()).to_series(0).alias("row") for side in sides)
    counts = old.value_counts(name=_HERE).join(
        new.value_counts(name=_HERE), on="row", how="full", suffix=_NEW, coalesce=True
    )
    before, after = (counts[name].fill_null(0).cast(pl.Int64) for name in (_HERE, _HERE + _NEW))
    more = after - before
    added, removed = int(more.clip(lower_bound=0).sum()), int((-more).clip(lower_bound=0).sum())
    return RowChanges((), added, removed, 0, new.len() - added)
