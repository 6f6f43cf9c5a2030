"""What a check found, before it is said of files and rows in a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise. `rows` are the first ones, by their number over all files, from 0.

    `count` are all such rows of the file number `source` (None: of no file in particular), `share`
    those by what `check` counts. `values` stand in `rows`; personal ones are masked already.
    """

    check: str
    column: str = ""
    source: int | None = None
    count: int = 0
    share: float = 0.0
    rows: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()
    detail: str | None = None
