from __future__ import annotations

import json
import os
import sys

import pytest

from mlctl.errors import InvalidInput
from mlctl.projects import demo

NOUNS = ("data", "exp", "monitor", "report")


@pytest.mark.parametrize("entry", ["file", ".git"])
def test_a_folder_that_is_not_empty_is_refused(entry, tmp_path):
    (tmp_path / entry).mkdir()
    with pytest.raises(InvalidInput, match="not empty"):
        demo.check(tmp_path)


@pytest.mark.parametrize("args", [*demo.STEPS, demo.first_step("d")], ids=" ".join)
def test_every_step_is_a_verb_that_exists(args, mlctl, tmp_path):
    words = args[:2] if args[0] in NOUNS else args[:1]
    assert "Usage: mlctl" in mlctl(*words, "--help", cwd=tmp_path).stdout


def test_it_stops_where_a_step_fails(mlctl, tmp_path, monkeypatch):
    # A `python` that answers the check of its modules, and runs no script.
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    answers = f'case $1 in -c) exec {sys.executable} "$@";; *) exit 9;; esac'
    python.write_text(f"#!/bin/sh\n{answers}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    done = mlctl("demo", "here", cwd=tmp_path, ok=False)
    assert done.returncode == 1
    assert "the demo stops: `mlctl run -j 2` ended with exit code 1" in done.stderr
    assert "$ mlctl exp ls" not in done.stdout


def test_a_file_in_the_way_is_wrong_usage(mlctl, tmp_path):
    (tmp_path / "file").touch()
    done = mlctl("demo", "file/demo", cwd=tmp_path, ok=False)
    assert done.returncode == 2
    assert "file is a file, not a folder" in done.stderr


def test_the_demo_runs_from_nothing_to_its_reports(mlctl, tmp_path):
    said = json.loads(mlctl("demo", "here", "--json", cwd=tmp_path).stdout)
    assert [step["command"].split()[1] for step in said["steps"]] == [
        "init",
        *(args[0] for args in demo.STEPS),
    ]
    made = {entry["what"] for entry in said["made"]}
    assert made == {what for what, _ in demo.MADE}
    root = tmp_path / "here"
    assert all((root / entry["path"]).stat().st_size for entry in said["made"])
