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
_OLD, _NEW = "\0old", "\0new"  # names that no table has


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Numbers of rows; `key` is empty where whole rows were compared, and `why` says why.

    For rows with the same key, `columns` are numbers of changed values by column, `relabelled` the
    number of changed labels (None without a label), and `labels` numbers of rows by (old, new)
    label where these may be shown. `ignored` are columns that only one side has, or whose types
    cannot be compared.
    """

    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    same: int
    why: str = ""
    columns: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[tuple[str, str], int] = field(default_factory=dict)
    relabelled: int | None = None
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
        found = _by_key(sides, key, marks) if key else _by_row(sides)
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


def _by_key(sides: Sequence[pl.DataFrame], key: tuple[str, ...], marks: Marks) -> RowChanges:
    import polars as pl

    old, new = sides
    pairs = old.select(key).with_row_index(_OLD).join(
        new.select(key).with_row_index(_NEW), on=list(key), how="inner", nulls_equal=True
    )  # fmt: skip
    changed = pl.repeat(False, pairs.height, eager=True)
    columns: dict[str, int] = {}
    moves: dict[tuple[str, str], int] = {}
    for name in (name for name in old.columns if name not in key):
        before, after = old[name].gather(pairs[_OLD]), new[name].gather(pairs[_NEW])
        differs = before.alias("value").ne_missing(after.alias("value"))
        columns[name] = int(differs.sum())
        changed |= differs
        if name == marks.label and name in marks.shown:
            moves = _moves(before.filter(differs), after.filter(differs))
    return RowChanges(
        key=key,
        added=new.height - pairs.height,
        removed=old.height - pairs.height,
        changed=int(changed.sum()),
        same=pairs.height - int(changed.sum()),
        columns={name: n for name, n in sorted(columns.items(), key=lambda i: (-i[1], i[0])) if n},
        labels=moves,
        relabelled=columns.get(marks.label or ""),
    )


def _moves(old: pl.Series, new: pl.Series) -> dict[tuple[str, str], int]:
    """How many labels went from which value to which, the most first."""
    import polars as pl

    told = (side.cast(pl.String).fill_null("missing") for side in (old, new))
    counts = Counter(zip(*told, strict=True))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_LABELS])


def _by_row(sides: Sequence[pl.DataFrame]) -> RowChanges:
    """Rows as wholes, each as often as it is there; equal are rows of one 64-bit hash."""
    import polars as pl

    old, new = (side.select(pl.struct(pl.all()).hash()).to_series(0).alias("row") for side in sides)
    counts = old.value_counts(name=_OLD).join(
        new.value_counts(name=_NEW), on="row", how="full", coalesce=True
    )
    before, after = (counts[name].fill_null(0).cast(pl.Int64) for name in (_OLD, _NEW))
    more = after - before
    added, removed = int(more.clip(lower_bound=0).sum()), int((-more).clip(lower_bound=0).sum())
    return RowChanges((), added, removed, 0, new.len() - added)
