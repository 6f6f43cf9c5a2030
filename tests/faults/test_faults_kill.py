"""Kills at random moments, as many as CI has time for; docs/testing.md says how to do more."""

import sys

import pytest

from faults.kill import torture

KILLS = 25


@pytest.mark.skipif(sys.platform != "linux", reason="processes are known from /proc")
def test_killed_at_random_moments(tmp_path):
    counts = torture(tmp_path, KILLS, seed=20, every=9)
    assert sum(counts[what] for what in ("mlctl", "stage", "both")) == KILLS
