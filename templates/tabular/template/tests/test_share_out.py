"""Run with `pytest`."""

from __future__ import annotations

import pytest

from common import share_out


def test_every_row_lies_in_exactly_one_group() -> None:
    test, heldback, train = share_out(100, [0.2, 0.1], seed=1)
    assert sorted([*test, *heldback, *train]) == list(range(100))
    assert (len(test), len(heldback), len(train)) == (20, 10, 70)


def test_a_seed_gives_the_same_groups_again() -> None:
    assert share_out(100, [0.2, 0.1], seed=1) == share_out(100, [0.2, 0.1], seed=1)
    assert share_out(100, [0.2, 0.1], seed=1) != share_out(100, [0.2, 0.1], seed=2)


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(ValueError, match="leave rows over"):
        share_out(100, [0.5, 0.5], seed=1)
