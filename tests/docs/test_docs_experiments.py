"""The tour of docs/guide/experiments.md, from a first run to a verified one in another clone."""

import os
import re
import sys
from pathlib import Path

from e2e.sandbox import call
from readme import ROOT

PAGE = (ROOT / "docs/guide/experiments.md").read_text(encoding="utf-8")


def examples(name):
    return re.findall(rf"<!-- example: {name} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)


def commands(name):
    lines = "".join(examples(name)).splitlines()
    return [line.removeprefix("$ ") for line in lines]


def test_a_newcomer_comes_to_a_verified_run_on_another_clone(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    for name in ("train.py", "params.yaml", "dvc.yaml", "mlctl.yaml"):
        (project / name).write_text(examples(name)[0])
    env = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "120",
    }
    said = {}
    for command in commands("session"):
        done = call(["bash", "-ec", command], project, env=env)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said[command] = done.stdout
    assert "0.03" in said["mlctl exp ls --sort metrics.error"]
    assert "candidate" in call(["mlctl", "exp", "ls"], project, env=env).stdout
    assert call(["git", "status", "--porcelain", "runs"], project).stdout == ""
    there = "\n".join(commands("clone"))
    done = call(["bash", "-ec", there], project, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ train  identical" in done.stdout
    assert list((tmp_path / "clone" / "runs").glob("2*/*/events/*.json"))
