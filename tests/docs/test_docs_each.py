"""The example of docs/guide/each.md does what the page shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from readme import ROOT

PAGE = (ROOT / "docs/guide/each.md").read_text(encoding="utf-8")


def example(name):
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)[1]


@pytest.mark.parametrize("engine", ["mlctl run", "dvc repro"])
def test_the_session_says_what_the_page_shows(tmp_path, monkeypatch, engine):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for line in ("git init -q", "dvc init -q"):
        subprocess.run(line.split(), cwd=tmp_path, check=True)
    for name in ("dvc.yaml", "count.py"):
        (tmp_path / name).write_text(example(name))
    for step in example("session").removeprefix("$ ").split("\n$ "):
        command, *shown = step.strip().split("\n")
        done = subprocess.run(
            command.replace("mlctl run", engine),
            shell=True,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said = [line.strip().removeprefix("[count] ") for line in done.stdout.splitlines()]
        shown = [line.removeprefix("[count] ") for line in shown]
        assert [line for line in said if line in shown] == shown, done.stdout
