"""Every benchmark runs, on little; its figures mean nothing here."""

import pytest

from benchmarks.__main__ import BENCHES, measure
from benchmarks.harness import Size, page

SMALL = Size(
    stages=4, many=6, others=3, repeats=1, seconds=0.1, files=200, large=5_000_000,
    rows=2000, large_rows=2000, runs=20, packed=20, peers=False,
)  # fmt: skip


@pytest.mark.parametrize("name", BENCHES)
def test_benchmark(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    rows = list(measure(SMALL, only=name))
    assert rows
    assert all(row.ours > 0 for row in rows)
    assert rows[0].what in page(rows)
