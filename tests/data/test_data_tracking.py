"""`mlctl data add` against `dvc add`: the same bytes in the pointer, the cache and .gitignore."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlctl.adapters.dvc import dvc
from mlctl.data import pointer, tracking
from mlctl.errors import ConfigError, InvalidInput

Fill = Callable[[Path], list[str]]


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    dvc("init", "-q", cwd=folder)
    return folder


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo")


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All that `dvc add` writes: path -> bytes, and the mode where it means something."""
    found = {}
    for top, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in {".git", "tmp", ".mlctl"}]
        for name in files:
            path = Path(top, name)
            key = path.relative_to(folder).as_posix()
            mode = path.stat().st_mode if key.startswith(".dvc/cache/") else 0
            found[key] = (path.read_bytes(), mode)
    return found


def a_file(folder: Path) -> list[str]:
    (folder / "data").mkdir()
    (folder / "data" / "raw.csv").write_text("a,b\n1,2\n")
    return ["data/raw.csv"]


def a_folder(folder: Path) -> list[str]:
    for name in ("x.txt", "sub/y.txt", "sub/ü z.txt"):
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return ["images"]


def several_and_odd_names(folder: Path) -> list[str]:
    names = ["a b.csv", "#c.csv", "[d].csv", "true"]
    for name in names:
        (folder / name).write_text(name)
    (folder / "empty").write_bytes(b"")
    script = folder / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    return [*names, "empty", "run.sh"]


@pytest.mark.parametrize("fill", [a_file, a_folder, several_and_odd_names])
def test_adding_writes_what_dvc_writes(tmp_path: Path, fill: Fill) -> None:
    ours, theirs = repository(tmp_path / "ours"), repository(tmp_path / "theirs")
    paths = fill(ours)
    fill(theirs)
    added = tracking.add(str(ours), paths)
    # glob characters would be patterns only with --glob
    dvc("add", "-q", "--", *paths, cwd=theirs)
    assert everything(ours) == everything(theirs)
    assert [item.change for item in added] == ["added"] * len(paths)
    assert dvc("status", cwd=ours).stdout.strip() == "Data and pipelines are up to date."


def test_adding_again_updates_as_dvc_does(tmp_path: Path) -> None:
    ours, theirs = repository(tmp_path / "ours"), repository(tmp_path / "theirs")
    for folder in (ours, theirs):
        dvc("add", "-q", *a_file(folder), *a_folder(folder), cwd=folder)
        file = folder / "data" / "raw.csv.dvc"
        file.write_text("# mine\n" + file.read_text() + "desc: kept  # as it is\n")
        (folder / "data" / "raw.csv").write_text("a,b\n3,4\n5,6\n")
        (folder / "images" / "new.txt").write_text("new")
    added = tracking.add(str(ours), ["data/raw.csv", "images"])
    dvc("add", "-q", "data/raw.csv", "images", cwd=theirs)
    assert everything(ours) == everything(theirs)
    assert [item.change for item in added] == ["updated", "updated"]
    assert [item.files for item in added] == [1, 4]
    assert "# as it is" in (ours / "data" / "raw.csv.dvc").read_text()
    again = tracking.add(str(ours), ["data/raw.csv", "images"])
    assert [item.change for item in again] == ["unchanged", "unchanged"]
    assert everything(ours) == everything(theirs)


def test_a_file_inside_a_tracked_folder_is_left_to_dvc(repo: Path) -> None:
    tracking.add(str(repo), a_folder(repo))
    before = (repo / "images.dvc").read_text()
    (repo / "images" / "late.txt").write_text("late")
    added = tracking.add(str(repo), ["images/late.txt"])
    assert [(item.path, item.files, item.change) for item in added] == [("images", 4, "updated")]
    assert (repo / "images.dvc").read_text() != before


def test_what_is_tracked_otherwise_is_refused(repo: Path) -> None:
    tracking.add(str(repo), a_file(repo))
    with pytest.raises(ConfigError, match="overlaps"):
        tracking.add(str(repo), ["data"])
    (repo / "code.py").write_text("x = 1\n")
    subprocess.run(["git", "add", "code.py"], cwd=repo, check=True)
    with pytest.raises(InvalidInput, match="git tracks it already"):
        tracking.add(str(repo), ["code.py"])
    with pytest.raises(InvalidInput, match="no such file"):
        tracking.add(str(repo), ["nothing.csv"])
    assert not (repo / "code.py.dvc").exists()
    assert not (repo / "data.dvc").exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".git", "'.git' lies in .git, where no out may be"),
        (".dvc/config", "'.dvc/config' lies in .dvc, where no out may be"),
        ("notes.tmp", "notes.tmp: .dvcignore names it, so DVC cannot track it"),
    ],
)
def test_what_cannot_be_tracked_is_said(repo: Path, path: str, message: str) -> None:
    (repo / ".dvcignore").write_text("*.tmp\n")
    (repo / "notes.tmp").write_text("x")
    before = everything(repo)
    with pytest.raises(InvalidInput) as caught:
        tracking.add(str(repo), [path])
    assert (caught.value.message, bool(caught.value.hint)) == (message, True)
    assert everything(repo) == before


def test_ls_tells_what_changed(repo: Path) -> None:
    paths = several_and_odd_names(repo)
    tracking.add(str(repo), paths)
    pointer.set_origin(str(repo), "empty.dvc", {"source": "file:x"})
    (repo / "true").write_text("changed")
    (repo / "#c.csv").unlink()
    found = {item.path: item for item in tracking.ls(str(repo))}
    assert sorted(found) == sorted(paths)
    states = {path: item.state for path, item in found.items() if item.state != "ok"}
    assert states == {"true": "modified", "#c.csv": "missing"}
    assert found["empty"].source == "file:x"
    assert dvc("status", "-q", cwd=repo, check=False).code == 1
