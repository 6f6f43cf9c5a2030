"""Rows with the same values, gathered over files, and which of them repeat earlier ones.

"Earlier" is by the order of splits, files and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from mlctl.data.checks.rows import SHOWN

_HELD = 1_000_000  # groups from which on they are put together
_KEPT = SHOWN + 1  # rows of each group, the one that is repeated among them


@dataclass(frozen=True, slots=True)
class Repeat:
    """Rows of a file that repeat rows of the split `of`: how many, and the first with theirs."""

    split: int
    of: int
    source: int
    count: int
    rows: tuple[int, ...]
    repeated: tuple[int, ...]


class Groups:
    """How often equal values stand in each file, and where first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(keys)
        self._held: list[pl.DataFrame] = []
        self._size = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Take in rows: `keys`, `split`, `source` and `row`, in their order."""
        if not rows.height:
            return
        found = rows.group_by([*self._keys, "split", "source"], maintain_order=True).agg(
            count=pl.len().cast(pl.Int64), rows=pl.col("row").cast(pl.Int64).head(_KEPT)
        )
        self._held.append(found)
        self._size += found.height
        if self._size > _HELD:
            self._held = [self._together()]
            self._size = self._held[0].height // 2  # so that groups that stay cost little

    def whole(self) -> pl.DataFrame | None:
        """Columns `keys`, `split`, `source`, `count`, `rows` and `id`, one for equal keys."""
        if not self._held:
            return None
        frame = self._together().with_row_index("index")
        return frame.with_columns(id=pl.col("index").min().over(self._keys)).drop("index")

    def _together(self) -> pl.DataFrame:
        held = pl.concat(self._held, how="vertical_relaxed")
        by = [*self._keys, "split", "source"]
        return held.group_by(by, maintain_order=True).agg(
            pl.col("count").sum(), pl.col("rows").explode().head(_KEPT)
        )


def repeats(groups: pl.DataFrame, links: pl.DataFrame | None = None) -> list[Repeat]:
    """Which rows repeat an earlier one, by the split of the row and the split of the earlier one.

    `links` names groups that count as equal, as `id` and `other` in both directions. Splits are
    asked apart: a row may repeat one of its own split and one of another.
    """
    own = groups.select("id", other="id").unique()
    links = own if links is None else pl.concat([own, links.select("id", "other")]).unique()
    first = groups.group_by("id", "split").agg(at=pl.col("rows").list.first().min())
    earliest = (
        links.join(first, left_on="other", right_on="id")
        .group_by("id", pl.col("split").alias("of"))
        .agg(pl.col("at").min())
    )
    pairs = groups.join(earliest, on="id").filter(pl.col("of") <= pl.col("split"))
    is_itself = pl.col("at") == pl.col("rows").list.first()
    pairs = pairs.with_columns(
        count=pl.col("count") - is_itself.cast(pl.Int64),
        rows=pl.when(is_itself).then(pl.col("rows").list.slice(1)).otherwise(pl.col("rows")),
    )
    return [_repeat(frame) for _, frame in _by_file(pairs.filter(pl.col("count") > 0))]


def _by_file(pairs: pl.DataFrame) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
    by = ["split", "of", "source"]
    return list(pairs.sort(by).group_by(by, maintain_order=True))


def _repeat(pairs: pl.DataFrame) -> Repeat:
    shown = pairs.explode("rows").sort("rows").head(SHOWN)
    split, of, source = pairs.select("split", "of", "source").row(0)
    return Repeat(
        split, of, source, int(pairs["count"].sum()),
        tuple(shown["rows"].to_list()), tuple(shown["at"].to_list()),
    )  # fmt: skip
