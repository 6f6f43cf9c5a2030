"""Which hashes come twice, in memory and on disk."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlctl.adapters.spill import Spill
from mlctl.data.contracts.repeats import Repeats

HASHES = st.integers(0, 40) | st.integers(2**64 - 20, 2**64 - 1) | st.integers(0, 2**64 - 1)


def series(values: list[int]) -> pl.Series:
    return pl.Series(values, dtype=pl.UInt64)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(HASHES, max_size=30), max_size=12), st.integers(1, 60))
def test_what_came_twice_is_known_whatever_lies_on_disk(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("spill")
    with Spill(str(folder)) as spill:
        repeats = Repeats(spill, limit)
        for batch in batches:
            repeats.add(series(batch))
        found = [value for piece in repeats.twice() for value in piece.to_list()]
    counts = Counter(value for batch in batches for value in batch)
    assert sorted(found) == sorted(value for value, count in counts.items() if count > 1)
    assert not list(folder.iterdir())


def test_nothing_is_on_disk_below_the_limit(tmp_path: Path) -> None:
    with Spill(str(tmp_path / "tmp")) as spill:
        repeats = Repeats(spill, 10)
        repeats.add(series([1, 2, 1]))
        assert [piece.to_list() for piece in repeats.twice()] == [[1]]
    assert not (tmp_path / "tmp").exists()


def test_one_value_only_stays_small(tmp_path: Path) -> None:
    with Spill(str(tmp_path)) as spill:
        repeats = Repeats(spill, 1000)
        for _ in range(50):
            repeats.add(series([7] * 1000))
        pieces = [piece.to_list() for piece in repeats.twice()]
    assert [piece for piece in pieces if piece] == [[7]]
