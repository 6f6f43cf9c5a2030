"""The journal: what a killed run had finished is in the locks afterwards, whatever the moment."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from mlctl.pipeline import journal, lockfile
from mlctl.pipeline.journal import Journal
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage

ONE = LockedStage("python a.py", outs=(LockedPath("o", Digest("a" * 32, size=1)),))
TWO = LockedStage(
    ("echo 'x: y'", "b"),
    params={"params.yaml": {"day": date(2024, 1, 1), "lr": 1e-5, "n": float("inf")}},
)
# A run that writes down two stages and is killed before it can fold them.
KILLED = """
import os, sys
from mlctl.pipeline.journal import Journal
from mlctl.pipeline.lockfile import stage_text
from mlctl.pipeline.spec import LockedStage
journal = Journal(sys.argv[1], "01RUN")
journal.append("dvc.lock", "b", stage_text("b", LockedStage("echo b")), None)
journal.append("sub/dvc.lock", "c", stage_text("c", LockedStage("echo c")), None)
journal.append("dvc.lock", "a", stage_text("a", LockedStage("echo a")), None)
os.kill(os.getpid(), 9)
"""


def order(lock: str) -> list[str]:
    return ["a", "b"] if lock == "dvc.lock" else ["c"]


def test_a_living_run_is_left_alone(tmp_path: Path) -> None:
    living = Journal(str(tmp_path), "01RUN")
    living.append("dvc.lock", "a", lockfile.stage_text("a", ONE), None)
    assert journal.abandoned(str(tmp_path)) == []
    living.close()
    assert journal.abandoned(str(tmp_path)) == []
    assert os.listdir(tmp_path / journal.FOLDER) == []


def test_a_killed_runs_stages_come_into_the_locks_in_serial_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (path,) = journal.abandoned(str(tmp_path))
    saved = Path(path).read_bytes()
    for _ in range(2):  # as if killed before the journal was removed
        Path(path).write_bytes(saved)
        journal.recover(str(tmp_path), path, order)
        text = (tmp_path / "dvc.lock").read_text()
        assert list(lockfile.parse_text(text, name="dvc.lock").stages) == ["a", "b"]
        assert "echo c" in (tmp_path / "sub/dvc.lock").read_text()
        assert not Path(path).exists()


def recovered(root: Path, path: str | Path) -> journal.Entries:
    """What `recover` brings into the locks of `root`."""
    found: list[journal.Entries] = []
    journal.recover(str(root), str(path), order, found.append)
    return found[0]


@pytest.mark.parametrize("now", [None, "other", "was", "same"])
def test_what_somebody_else_recorded_since_stays(tmp_path: Path, now: str | None) -> None:
    """After the kill `dvc repro` ran the stage, or another branch was checked out."""
    locks = {"was": LockedStage("echo was"), "other": LockedStage("echo other"), "same": ONE}
    writer = Journal(str(tmp_path), "01RUN")
    was = lockfile.stage_text("a", locks["was"])
    writer.append("dvc.lock", "a", lockfile.stage_text("a", ONE), was)
    (path,) = (tmp_path / journal.FOLDER).iterdir()
    before = lockfile.splice(None, {"a": locks[now]} if now else {"b": TWO}, [])
    (tmp_path / "dvc.lock").write_text(before)
    found = recovered(tmp_path, path)
    assert found == {"dvc.lock": {"a": ONE} if now in {"was", "same"} else {}}
    if now != "was":
        assert (tmp_path / "dvc.lock").read_text() == before


def test_a_kill_before_the_end_of_recovery_loses_nothing(tmp_path: Path) -> None:
    writer = Journal(str(tmp_path), "01RUN")
    writer.append("dvc.lock", "a", lockfile.stage_text("a", ONE), None)
    (path,) = (tmp_path / journal.FOLDER).iterdir()

    def killed(_: journal.Entries) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.recover(str(tmp_path), str(path), order, killed)
    assert recovered(tmp_path, path) == {"dvc.lock": {"a": ONE}}


@pytest.mark.parametrize("kept", [0, 1, 20, -1])
def test_a_torn_line_is_ignored(tmp_path: Path, kept: int) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (path,) = journal.abandoned(str(tmp_path))
    first, *_ = Path(path).read_bytes().splitlines(keepends=True)
    Path(path).write_bytes(first + first.replace(b'"b"', b'"x"')[:kept])
    assert recovered(tmp_path, path) == {"dvc.lock": {"b": LockedStage("echo b")}}


def test_every_value_survives(tmp_path: Path) -> None:
    writer = Journal(str(tmp_path), "01RUN")
    writer.append("dvc.lock", "a", lockfile.stage_text("a", ONE), None)
    writer.append("dvc.lock", "b", lockfile.stage_text("b", TWO), None)
    (path,) = (tmp_path / journal.FOLDER).iterdir()
    assert recovered(tmp_path, path) == {"dvc.lock": {"a": ONE, "b": TWO}}


def test_what_was_folded_is_not_recovered(tmp_path: Path) -> None:
    writer = Journal(str(tmp_path), "01RUN")
    writer.append("dvc.lock", "a", lockfile.stage_text("a", ONE), None)
    writer.clear()
    writer.append("dvc.lock", "b", lockfile.stage_text("b", TWO), None)
    (path,) = (tmp_path / journal.FOLDER).iterdir()
    assert recovered(tmp_path, path) == {"dvc.lock": {"b": TWO}}
