"""Which rows are compared with which: a period's, a slice's, and those of the reference.

Rows are indices (int64, ascending) into their source; None stands for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from mlctl.monitoring.results import DataRef, Finding

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
else:
    Rows = Any


class Source(Protocol):
    """A table that is read a few columns at a time, so that it need not fit into memory."""

    @property
    def ref(self) -> DataRef:
        """Its path, files, rows and digest."""

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """The columns and their types, in order."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What was wrong while opening it: unreadable parts, types that differ between them."""

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """These columns of all rows, in the rows' order. What a part lacks is null in its rows."""


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is `2026-05-01` (day), `2026-05-01T13` (hour), `2026-W18`, `2026-05` or `rows-000001`.

    The whole of undated data is named by its digest. `start` and `end` (exclusive) are in UTC,
    None for undated data. `goes_on` is set where more rows are to come, whatever the time.
    """

    name: str
    start: datetime | None = None
    end: datetime | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class SliceCut:
    """Rows of a slice in a period, and those of the same slice in the reference."""

    name: str
    rows: Rows
    reference_rows: Rows | None


@dataclass(frozen=True, slots=True)
class PeriodCut:
    """A period's rows; `reference_rows` are those to compare with, like with like.

    `season` is the key of that likeness (`monday`, `13`, `may`), empty for none, and `note` says
    where it could not be kept. `ref` is the period's own data.
    """

    period: Period
    rows: Rows | None
    reference_rows: Rows | None
    ref: DataRef
    season: str = ""
    slices: tuple[SliceCut, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str = ""
