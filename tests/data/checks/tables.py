"""Frames as the splits of a data set, for tests of checks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mlctl.adapters.tables import Part, kind_of
from mlctl.data.checks.rows import Rows, Split
from mlctl.data.contracts.counting import Source


def rows_of(splits: dict[str, Sequence[pl.DataFrame]]) -> Rows:
    """Each split has files `<split>0`, `<split>1`, …"""
    kinds: dict[str, str] = {}
    for frames in splits.values():
        for frame in frames:
            kinds |= {name: kind_of(dtype) or "any" for name, dtype in frame.schema.items()}
    return Rows([Split(n, tuple(sources(n, frames))) for n, frames in splits.items()], kinds)


def sources(name: str, frames: Sequence[pl.DataFrame]) -> list[Source]:
    def parts(frame: pl.DataFrame) -> list[Part]:
        return [Part(frame.lazy, "column")]

    return [
        Source(f"{name}{n}", None, lambda frame=frame: iter(parts(frame)))  # type: ignore[misc]
        for n, frame in enumerate(frames)
    ]
