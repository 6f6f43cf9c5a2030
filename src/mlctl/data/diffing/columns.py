"""Two profiles of a column compared: every figure with the most that it can be off. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mlctl.data.profiles.column import Column
from mlctl.data.profiles.distinct import ERROR, Distinct
from mlctl.data.profiles.frequent import Frequent, Scalar
from mlctl.data.profiles.quantiles import distance

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
LARGE = 0.02  # the least shift of a distribution, beyond its error, that is told unasked
LARGE_NULLS = 0.005  # the least change in the share of missing values
Change = Literal["added", "removed", "changed"]
Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far two distributions are apart, from 0 to 1, and the most by which that is off.

    `measure` is `ks` (Kolmogorov-Smirnov's D: the largest difference between the shares of values
    up to any x) or `categories` (total variation: the share of rows that changed category).
    """

    measure: Literal["ks", "categories"]
    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Category:
    """A value with its numbers of rows, (old, new)."""

    value: Scalar
    rows: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One column in two versions; pairs are (old, new), None where a side does not tell.

    Exact are `nulls` (shares of rows), `mean`, `sd`, `low` and `high`. `distinct` is exact where
    its error (relative, one standard error, of each side) is 0. `quantiles` are values by share,
    off in rank by at most `rank_error` (of each side). `new` and `gone` are categories that one
    side has and the other has not, exactly.
    """

    name: str
    change: Change
    kinds: tuple[str | None, str | None]
    shift: Shift | None = None
    nulls: Pair = (None, None)
    infinite: tuple[int, int] = (0, 0)
    distinct: tuple[int | None, int | None] = (None, None)
    distinct_error: tuple[float, float] = (0.0, 0.0)
    mean: Pair = (None, None)
    sd: Pair = (None, None)
    low: Pair = (None, None)
    high: Pair = (None, None)
    quantiles: Mapping[float, Pair] | None = None
    rank_error: tuple[float, float] = (0.0, 0.0)
    categories: tuple[Category, ...] = ()
    new: tuple[Category, ...] = ()
    gone: tuple[Category, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether the change is told unasked."""
        if self.change != "changed" or self.kinds[0] != self.kinds[1]:
            return True
        shifted = self.shift is not None and self.shift.value - self.shift.error >= LARGE
        return shifted or bool(self.new or self.gone) or _moved(self.nulls) >= LARGE_NULLS

    @property
    def size(self) -> float:
        """What columns are sorted by, the largest first."""
        if self.change in {"added", "removed"} or self.kinds[0] != self.kinds[1]:
            return 2.0
        return max(self.shift.value if self.shift else 0.0, _moved(self.nulls))


def compare_columns(old: Sequence[Column], new: Sequence[Column]) -> tuple[ColumnChange, ...]:
    """Every column of both sides, the largest change first."""
    before, after = ({column.name: column for column in side} for side in (old, new))
    changes = [
        *(compare(column, after[name]) for name, column in before.items() if name in after),
        *(ColumnChange(c.name, "removed", (c.kind, None)) for c in old if c.name not in after),
        *(ColumnChange(c.name, "added", (None, c.kind)) for c in new if c.name not in before),
    ]
    order = {change.name: at for at, change in enumerate(changes)}
    return tuple(sorted(changes, key=lambda change: (-round(change.size, 6), order[change.name])))


def compare(old: Column, new: Column) -> ColumnChange:
    """One column of both sides."""
    change = ColumnChange(
        name=new.name,
        change="changed",
        kinds=(old.kind, new.kind),
        nulls=(_share(old.nulls, old.rows), _share(new.nulls, new.rows)),
        infinite=(old.infinite, new.infinite),
        distinct=(_count(old.distinct), _count(new.distinct)),
        distinct_error=(_error(old.distinct), _error(new.distinct)),
    )
    if old.kind != new.kind and not {old.kind, new.kind} <= {"int", "float"}:
        return change
    change = _with_numbers(change, old, new)
    return _with_categories(change, old, new) if _are_categories(old, new) else change


def _with_numbers(change: ColumnChange, old: Column, new: Column) -> ColumnChange:
    if old.moments.n and new.moments.n:
        change = replace(
            change,
            mean=(old.moments.mean, new.moments.mean),
            sd=(old.moments.deviation, new.moments.deviation),
            low=(old.low, new.low),
            high=(old.high, new.high),
        )
    if old.kind == new.kind == "bool":
        moved = abs(new.moments.mean - old.moments.mean)  # NaN without values
        return replace(change, shift=Shift("categories", moved)) if moved == moved else change
    left, right = old.piece, new.piece
    if left is None or right is None:
        return change
    return replace(
        change,
        shift=Shift("ks", *distance(left, right)),
        quantiles={share: (left.quantile(share), right.quantile(share)) for share in SHARES},
        rank_error=(left.share, right.share),
    )


def _with_categories(change: ColumnChange, old: Column, new: Column) -> ColumnChange:
    if old.frequent is None or new.frequent is None:
        return change
    listed = _listed(old.frequent, new.frequent)
    whole = not old.frequent.missed and not new.frequent.missed
    return replace(
        change,
        shift=Shift("categories", _variation(listed)) if whole else change.shift,
        categories=tuple(listed) if whole else (),
        new=tuple(c for c in listed if not c.rows[0] and not old.frequent.missed),
        gone=tuple(c for c in listed if not c.rows[1] and not new.frequent.missed),
    )


def _listed(left: Frequent, right: Frequent) -> list[Category]:
    found = [
        Category(value, (left.counts.get(value, 0), right.counts.get(value, 0)))
        for value in dict.fromkeys((*left.counts, *right.counts))
    ]
    return sorted(found, key=lambda c: (-sum(c.rows), str(c.value)))


def _are_categories(old: Column, new: Column) -> bool:
    """Whether values stand for themselves: texts, booleans, and few whole numbers."""
    kinds = {old.kind, new.kind}
    if kinds <= {"str", "bool"}:
        return True
    counts = [side.distinct.count for side in (old, new) if side.distinct is not None]
    return kinds == {"int"} and all(count is not None and count <= 12 for count in counts)


def _variation(categories: Sequence[Category]) -> float:
    totals = [sum(c.rows[at] for c in categories) or 1 for at in (0, 1)]
    return sum(abs(c.rows[0] / totals[0] - c.rows[1] / totals[1]) for c in categories) / 2


def _share(count: int, rows: int) -> float:
    return count / rows if rows else 0.0


def _moved(pair: Pair) -> float:
    return abs(pair[1] - pair[0]) if pair[0] is not None and pair[1] is not None else 0.0


def _count(distinct: Distinct | None) -> int | None:
    return distinct.count if distinct is not None else None


def _error(distinct: Distinct | None) -> float:
    return 0.0 if distinct is None or distinct.exact else ERROR
