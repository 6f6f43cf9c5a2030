"""A few of the runs on a host that `python -m faults.hosts` does hundreds of."""

import pytest

from faults.hosts import chaos


@pytest.mark.timeout(600)
def test_kills_at_random_lose_and_double_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCTL_SSH_CONFIG", "")  # set by the runs, and put back after them
    counts = chaos(tmp_path, 6, seed=3)
    assert sum(counts.values()) > 3
