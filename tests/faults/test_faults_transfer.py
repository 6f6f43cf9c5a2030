"""A small number of what `python -m faults.transfer` does in a large one."""

from pathlib import Path

import pytest

from faults import transfer


@pytest.mark.parametrize("kind", ["folder", "ssh"])
def test_an_interrupted_transfer_is_taken_up(tmp_path: Path, kind: str) -> None:
    counts = transfer.run(tmp_path, kind, files=300, interruptions=3, seed=1)
    assert sum(
        counts[f"{verb} {how}"] for verb in ("push", "fetch") for how in ("SIGKILL", "SIGINT")
    )
