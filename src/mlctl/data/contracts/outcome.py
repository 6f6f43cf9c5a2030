"""What judging says, as data. Apart from `verdict`, so that to recall one needs no library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A broken promise. `rows` are data rows from 1; `values` are what stands there.

    `column` is empty for checks of whole rows or of the table; `share` is `count` by all rows.
    `file` is where the rows are, in a data set of several files: they are counted in each.
    """

    check: str
    column: str = ""
    count: int = 0
    share: float = 0.0
    rows: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()
    detail: str | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of judging one frame; valid where there is no failure."""

    rows: int
    columns: int
    checks: int
    failures: tuple[Failure, ...] = field(default=())

    @property
    def valid(self) -> bool:
        return not self.failures
