from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from mlctl.pipeline import lockfile
from mlctl.pipeline.journal import Journal
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage

ONE = LockedStage("python a.py", outs=(LockedPath("o", Digest("a" * 32, size=1)),))
TWO = LockedStage(
    ("echo 'x: y'", "b"),
    params={"params.yaml": {"day": date(2024, 1, 1), "lr": 1e-5, "n": float("inf")}},
)


def test_stages_fold_into_the_lock_in_order(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.append("sub/dvc.lock", "b", ONE)
    journal.append("sub/dvc.lock", "a", ONE)
    journal.append("sub/dvc.lock", "a", TWO)
    assert journal.pending() == ["sub/dvc.lock"]
    assert journal.read("sub/dvc.lock") == {"b": ONE, "a": TWO}
    assert journal.fold("sub/dvc.lock", ["a", "b"])
    text = (tmp_path / "sub/dvc.lock").read_text()
    assert text == lockfile.splice(None, {"a": TWO, "b": ONE}, ["a", "b"])
    assert journal.pending() == []
    assert not journal.fold("sub/dvc.lock")
    assert (tmp_path / "sub/dvc.lock").read_text() == text


def test_folding_twice_is_harmless(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.append("dvc.lock", "a", ONE)
    saved = Path(journal.path("dvc.lock")).read_bytes()
    journal.fold("dvc.lock")
    once = (tmp_path / "dvc.lock").read_text()
    Path(journal.path("dvc.lock")).write_bytes(saved)  # killed before the journal was removed
    journal.fold("dvc.lock")
    assert (tmp_path / "dvc.lock").read_text() == once


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_line_is_ignored_and_does_not_spoil_the_next(tmp_path: Path, kept: int) -> None:
    journal = Journal(str(tmp_path))
    journal.append("dvc.lock", "a", ONE)
    path = Path(journal.path("dvc.lock"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole.replace(b'"a"', b'"b"')[:kept])
    assert journal.read("dvc.lock") == {"a": ONE}
    journal.append("dvc.lock", "c", TWO)
    assert {"a", "c"} <= set(journal.read("dvc.lock"))


def test_clear_removes_every_journal(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.clear()
    journal.append("dvc.lock", "a", ONE)
    journal.append("s/dvc.lock", "a", ONE)
    journal.clear()
    assert journal.pending() == []
    assert os.listdir(tmp_path / ".mlctl/journal") == []
