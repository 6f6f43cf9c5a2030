"""What was guessed of a column, why, and how sure that is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from mlctl.data.contracts.model import ColumnContract

SURE, LIKELY, GUESS = "sure", "likely", "a guess"


@dataclass(frozen=True, slots=True)
class Said:
    """A column's promises, and their reason in a few words."""

    column: ColumnContract
    why: str
    sure: str

    @property
    def note(self) -> str:
        """The comment on the column: `a flag [sure]`."""
        return f"{self.why} [{self.sure}]"


def shown(value: Any) -> str:
    """A value in a comment: short, on one line."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, date):
        return value.isoformat()
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 30 else text[:29] + "…"
