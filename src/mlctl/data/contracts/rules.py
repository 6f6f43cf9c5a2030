"""A compiled promise: what a row has to be to break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

NOT_NULL, UNIQUE = "not null", "unique"


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise over rows.

    `breaks` is true in a row that breaks it by itself, and never null. `distinct` are columns whose
    values together may stand in one row only, where none of them is missing.
    """

    column: str
    check: str
    breaks: pl.Expr
    max_failing: float
    shown: tuple[str, ...]  # the columns that it reads, whose values explain a failure
    distinct: tuple[str, ...] = ()

    def breaks_in(self, rows: int, count: int) -> bool:
        """Whether `count` breaking rows of `rows` are too many."""
        return count > 0 and count / rows > self.max_failing
