"""Both templates give the same bytes on a host as here."""

import json

import pytest

from e2e.sandbox import DVC, MLCTL, call
from hosts.test_hosts_run import jobs
from mlctl.projects.init import start
from projects.test_projects_templates import write_raw


@pytest.mark.parametrize("template", ["tabular", "vision"])
def test_a_run_there_leaves_what_a_run_here_leaves(template, server, tmp_path):
    root = tmp_path / "p"
    start(root, template=template)
    if template == "tabular":
        write_raw(root, "breast_cancer", "target", "id")
        assert call([*MLCTL, "data", "add", "data/raw.csv"], root).returncode == 0
    done = call([*MLCTL, "run", "--no-record-commit"], root, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    lock = (root / "dvc.lock").read_bytes()
    done = call([*MLCTL, "host", "add", "box", "--env", "none"], root)
    assert done.returncode == 0, done.stderr
    force = ("-f", "--no-run-cache", "--no-record-commit")
    done = call([*MLCTL, "run", "--on", "box", "-j2", *force], root, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / "dvc.lock").read_bytes() == lock
    assert all(end["code"] == 0 for end in jobs(server).values())
    assert call([*DVC, "status", "-q"], root).returncode == 0
    last = json.loads(call([*MLCTL, "exp", "show", "last", "--json"], root).stdout)
    assert {stage["executor"] for stage in last["stages"]} == {"box"}
    here, there = (curves(folder) for folder in sorted(root.glob("runs/2*/*")))
    assert here == there != []


def curves(record):
    """What the training logged, without the times."""
    rows = [json.loads(line) for line in (record / "metrics.jsonl").read_text().splitlines()]
    return sorted((row["stage"], row["step"], sorted(row["metrics"].items())) for row in rows)
