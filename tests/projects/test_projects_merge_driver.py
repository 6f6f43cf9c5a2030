"""`mlctl init` and git's merge driver for `dvc.lock`."""

from __future__ import annotations

import json

import pytest

from mlctl.errors import InvalidInput
from mlctl.projects.init import start
from mlctl.projects.merge_driver import COMMAND

LINE = b"dvc.lock merge=dvc-lock\n"


@pytest.fixture
def repository(run, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages:\n  a: {cmd: echo a}\n")
    return tmp_path


def driver(run, root):
    return run("git", "config", "--local", "merge.dvc-lock.driver", cwd=root, ok=False).stdout


def test_a_new_repository_has_it_in_its_first_commit(run, tmp_path):
    started = start(tmp_path / "p")
    assert started.merge_driver
    assert ".gitattributes" in started.added
    assert run("git", "show", "HEAD:.gitattributes", cwd=tmp_path / "p").stdout.encode() == LINE
    assert driver(run, tmp_path / "p") == COMMAND + "\n"


def test_a_new_repository_without_it(run, tmp_path):
    started = start(tmp_path / "p", driver=False)
    assert not started.merge_driver
    assert not (tmp_path / "p" / ".gitattributes").exists()
    assert driver(run, tmp_path / "p") == ""
    assert not [note for note in started.notes if "merge" in note]


def test_an_existing_repository_is_told_and_left(run, repository):
    started = start(repository)
    assert not started.merge_driver
    assert any("mlctl init --merge-driver" in note for note in started.notes)
    assert not (repository / ".gitattributes").exists()
    assert driver(run, repository) == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, LINE),
        (b"*.png binary\n", b"*.png binary\n" + LINE),
        (b"*.png binary", b"*.png binary\n" + LINE),
        (b"*.png binary\r\n", b"*.png binary\r\n" + LINE.replace(b"\n", b"\r\n")),
    ],
)
def test_asked_for_a_line_is_added_once(before, after, run, repository):
    attributes = repository / ".gitattributes"
    if before is not None:
        attributes.write_bytes(before)
    started = start(repository, driver=True)
    assert started.merge_driver
    assert attributes.read_bytes() == after
    assert driver(run, repository) == COMMAND + "\n"
    assert any("commit it" in note for note in started.notes)
    again = start(repository, driver=True)
    assert attributes.read_bytes() == after
    assert not any("commit it" in note for note in again.notes)


def test_a_clone_of_a_project_that_names_it_gets_the_command(run, tmp_path):
    start(tmp_path / "p")
    run("git", "clone", "-q", "p", "clone", cwd=tmp_path)
    assert driver(run, tmp_path / "clone") == ""
    assert start(tmp_path / "clone").merge_driver
    assert driver(run, tmp_path / "clone") == COMMAND + "\n"


def test_another_driver_is_left_and_told(run, repository):
    (repository / ".gitattributes").write_text("dvc.lock merge=mine\n")
    started = start(repository, driver=True)
    assert not started.merge_driver
    assert (repository / ".gitattributes").read_text() == "dvc.lock merge=mine\n"
    assert driver(run, repository) == ""
    assert any("by `mine`" in note for note in started.notes)


def test_without_git_there_is_no_driver(tmp_path):
    with pytest.raises(InvalidInput, match="--no-scm excludes"):
        start(tmp_path / "p", scm=False, driver=True)
    assert not (tmp_path / "p").exists()
    assert not start(tmp_path / "p", scm=False).merge_driver


def test_json_says_whether_it_is_there(mlctl, repository):
    said = json.loads(mlctl("init", "--json", "--merge-driver", cwd=repository).stdout)
    assert said["merge_driver"] is True
