"""Random pipelines, edited at random: the bytes of `dvc repro` after every step.

The usual number of cases is small. `MLCTL_RANDOM_CASES=500` takes more, and draws others each time.
"""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, note, settings

from conformance.cases import Case, cases
from conformance.walk import Walk

COUNT = int(os.environ.get("MLCTL_RANDOM_CASES", "0"))


@settings(
    max_examples=COUNT or 50,
    derandomize=not COUNT,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if COUNT else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(cases(edits=2))
def test_random_pipelines(case: Case) -> None:
    note(f"case = {case!r}")
    with tempfile.TemporaryDirectory(prefix="mlctl-random-") as folder:
        Walk(case, Path(folder)).go()
