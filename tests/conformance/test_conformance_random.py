"""Random pipelines, edited at random: the bytes of `dvc repro` after every step.

The usual number of cases is small. `MLCTL_RANDOM_CASES=500 MLCTL_RANDOM_SEED=7` takes more and
others. A case that fails says how to see it again and make it small.
"""

import os
from pathlib import Path

import pytest

from conformance.cases import numbered
from conformance.walk import Walk

COUNT = int(os.environ.get("MLCTL_RANDOM_CASES", "100"))
SEED = int(os.environ.get("MLCTL_RANDOM_SEED", "0"))


@pytest.mark.parametrize("number", range(COUNT))
def test_random_pipelines(number: int, tmp_path: Path) -> None:
    case = numbered(SEED, number, edits=2)
    try:
        Walk(case, tmp_path).go()
    except AssertionError as error:
        error.add_note(f"cd tests && python -m conformance.explore --shrink {SEED}/{number}/2")
        raise
