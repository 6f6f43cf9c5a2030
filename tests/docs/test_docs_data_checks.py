"""docs/guide/data-checks.md: its example finds what the page says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from readme import ROOT

PAGE = (ROOT / "docs/guide/data-checks.md").read_text(encoding="utf-8")


def example(name):
    return re.search(rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)[
        1
    ]


def listed():
    """The table of what is found: file, rows, column, rule, detail."""
    table = re.search(r"<!-- example: found -->\n.*?\n\n", PAGE, re.DOTALL)[0]
    lines = table.strip().split("\n")[3:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture
def project(tmp_path, monkeypatch):
    for mark in ("GIT_INDEX_FILE", "PRE_COMMIT"):
        monkeypatch.delenv(mark, raising=False)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for line in ("git init -q", "dvc init -q"):
        subprocess.run(line.split(), cwd=tmp_path, check=True)
    (tmp_path / "contracts").mkdir()
    for name in ("make.py", "contracts/churn.yaml"):
        (tmp_path / name).write_text(example(name), encoding="utf-8")
    return tmp_path


def test_the_example_finds_what_the_page_says(project):
    for step in example("session").removeprefix("$ ").split("\n$ "):
        command, *shown = step.strip().split("\n")
        done = subprocess.run(command, shell=True, cwd=project, capture_output=True, text=True)
        assert done.returncode == (command == "mlctl validate -q"), done.stdout + done.stderr
        said = [line.rstrip() for line in done.stdout.splitlines()]
        assert [line for line in said if line in shown] == shown, done.stdout
    asked = ["mlctl", "validate", "--json", "--no-report"]
    said = subprocess.run(asked, cwd=project, capture_output=True, text=True).stdout
    (dataset,) = json.loads(said)["datasets"]
    assert listed() == [
        [
            f.get("file", ""),
            ", ".join(map(str, f["rows"])),
            f["column"],
            f["check"],
            f["detail"] or "",
        ]
        for f in dataset["failures"]
    ]
