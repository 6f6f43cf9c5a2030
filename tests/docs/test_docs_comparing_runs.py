"""The session of docs/guide/comparing-runs.md works, and its words are those of the program."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from readme import ROOT

PAGE = (ROOT / "docs/guide/comparing-runs.md").read_text(encoding="utf-8")


def example(name):
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)[1]


@pytest.fixture
def called(tmp_path, monkeypatch):
    """Runs a command line in a new project of the page's files; what it prints."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for line in ("git init -q", "dvc init -q"):
        subprocess.run(line.split(), cwd=tmp_path, check=True)
    for name in ("train.py", "dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text(example(name))

    def call(command):
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_the_session(called, tmp_path):
    swept, listed, plotted, compared = map(
        called, example("session").removeprefix("$ ").split("\n$ ")
    )
    assert "[6 of 6] lr=0.2,depth=2" in swept
    names = re.findall(r"lr=[\d.]+,depth=\d", listed)
    assert names[0] == "lr=0.2,depth=1"
    assert sorted(names) == sorted(set(names))
    assert len(names) == 6
    assert re.search("loss\n", plotted)
    assert re.search(r"o [0-9A-Z]{6} lr=0\.2,depth=1", plotted)
    assert "6 runs on one page" in compared
    assert (tmp_path / "params.yaml").read_text() == example("params.yaml")
    page = (tmp_path / "runs.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert [curve["name"] for curve in data["curves"]] == ["loss"]
    assert called("mlctl exp run --name baseline").count("Done") == 1


def test_the_options_that_the_page_names_exist(called):
    for verb, options in {
        "run": ("--at-once", "--force", "--name", "-S"),
        "plot": ("-o", "-m", "-x", "--smooth"),
        "watch": ("--json",),
        "compare": ("--where",),
    }.items():
        said = called(f"TYPER_USE_RICH=0 COLUMNS=200 mlctl exp {verb} --help")
        assert all(option in said for option in options)
        assert all(f"`{option}" in PAGE or f" {option}" in PAGE for option in options)
