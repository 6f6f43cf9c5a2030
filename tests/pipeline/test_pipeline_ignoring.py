"""`.gitignore` lines of a run: in serial order, soon, and at once where a stage reads them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mlctl.pipeline.ignoring import Ignoring
from mlctl.pipeline.journal import Journal
from mlctl.pipeline.lockfile import stage_text
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage
from mlctl.store.config import Config, load_config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "sub").mkdir()
    return load_config(str(tmp_path))


def lines(config: Config, folder: str = "") -> list[str]:
    path = Path(config.root, folder, ".gitignore")
    return path.read_text().split() if path.exists() else []


def test_lines_stand_in_serial_order(config: Config) -> None:
    Path(config.root, ".gitignore").write_text("mine\n")
    writer = Ignoring(config, ["a", "b", "c", "sub/d"])
    for keys in (["c"], ["sub/d", "a"], ["b"]):
        assert not writer.add(keys)
        writer.write(0)
    assert lines(config) == ["mine", "/a", "/b", "/c"]
    assert lines(config, "sub") == ["/d"]


def test_the_file_is_not_rewritten_for_each_stage(config: Config) -> None:
    names = [f"o{n}" for n in range(200)]
    writer = Ignoring(config, names)
    seen = set()
    for name in names:
        writer.add([name])
        writer.write_if_due()
        seen.add(len(lines(config)))
    assert min(seen) == 1
    assert len(seen) < 50
    writer.write(0)
    assert lines(config) == [f"/{name}" for name in names]


@pytest.mark.parametrize("dep", ["sub", "sub/.gitignore", ""])
def test_a_file_that_a_stage_reads_is_urgent(config: Config, dep: str) -> None:
    writer = Ignoring(config, ["a", "sub/x", "sub/y"], deps=[dep])
    assert writer.add(["a"]) == (not dep)
    for name in ("x", "y"):
        assert writer.add([f"sub/{name}"])
        writer.write(0)
        assert lines(config, "sub")[-1] == f"/{name}"


def test_a_killed_runs_outs_are_ignored_afterwards(config: Config) -> None:
    root = config.root
    Path(root, "dvc.yaml").write_text(
        "stages:\n"
        "  a: {cmd: x, outs: [a.out]}\n"
        "  b: {cmd: x, outs: [sub/b.out], metrics: [m.json: {cache: false}]}\n"
        "  c: {cmd: x, outs: [c.out]}\n"
    )
    journal = Journal(root, "01RUN")
    for name, outs in (("b", ["sub/b.out", "m.json"]), ("a", ["a.out"])):
        paths = tuple(LockedPath(out, Digest("a" * 32, size=1)) for out in outs)
        journal.append("dvc.lock", name, stage_text(name, LockedStage("x", outs=paths)), None)
    os.close(journal._handle)  # as a kill does
    assert set(Project.open(root).lock("dvc.yaml")) == {"a", "b"}
    assert (lines(config), lines(config, "sub")) == (["/a.out"], ["/b.out"])
