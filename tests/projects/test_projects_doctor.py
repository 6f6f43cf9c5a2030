from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mlctl.errors import NotAble
from mlctl.projects.doctor import check_stage_python, missing_modules


def put_first_on_path(folder: Path, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{python}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_only_what_is_missing_is_named():
    found = missing_modules(sys.executable, ["json", "no_such_module", "polars", "nor_this"])
    assert found == ("no_such_module", "nor_this")


def test_an_able_python_is_silent():
    check_stage_python(["json", "polars"], extra="demo")


def test_a_library_that_nobody_has_is_answered_with_the_pip_line():
    with pytest.raises(NotAble, match="lacks no_such_module") as caught:
        check_stage_python(["no_such_module"], extra="demo")
    assert caught.value.hint == "python -m pip install 'mlctl-git[demo]'"


def test_another_python_on_path_is_answered_with_activate(tmp_path, monkeypatch):
    # -I -S: an interpreter with nothing but the standard library
    put_first_on_path(tmp_path / "bin", f'exec {sys.executable} -I -S "$@"', monkeypatch)
    with pytest.raises(NotAble, match="lacks polars") as caught:
        check_stage_python(["polars", "json"], extra="demo")
    assert str(Path(sys.prefix)) in (caught.value.hint or "")


def test_a_python_that_does_not_start_is_said(tmp_path, monkeypatch):
    put_first_on_path(tmp_path / "bin", "echo broken >&2; exit 9", monkeypatch)
    with pytest.raises(NotAble, match="does not work here"):
        check_stage_python(["json"], extra="demo")
