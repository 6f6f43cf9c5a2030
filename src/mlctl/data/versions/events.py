"""What a transfer tells while it goes on; the terminal's bar is the reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """So many objects are to be moved; their bytes together, as far as sizes are known."""

    what: str
    objects: int
    size: int


@dataclass(frozen=True, slots=True)
class Moved:
    """More was moved: bytes, and objects that are done."""

    size: int
    objects: int


Event = Planned | Moved
Emit = Callable[[Event], None]


def quiet(_event: Event) -> None:
    """Nobody watches."""
