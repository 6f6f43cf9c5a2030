"""The tour of docs/guide/monitoring.md, from data to a muted alarm and revised numbers."""

import os
import re
import sys
from pathlib import Path

from e2e.sandbox import call
from readme import ROOT

PAGE = (ROOT / "docs/guide/monitoring.md").read_text(encoding="utf-8")


def examples(name):
    return re.findall(rf"<!-- example: {name} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)


def test_a_newcomer_sees_since_when_and_late_labels_revise(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "service.py").write_text(examples("service.py")[0])
    env = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "140",
        "NO_COLOR": "1",
    }
    said = []
    for command in "".join(examples("session")).splitlines():
        done = call(["bash", "-ec", command.removeprefix("$ ")], project, env=env)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said.append((command.removeprefix("$ "), done.stdout))
    text = dict(said)
    runs = [out for command, out in said if command == "mlctl monitor run"]
    assert "labels: {path: data/labels.parquet" in text["cat monitors/requests.yaml"]
    assert "2026-03-09  ok: no drift in 6 of 6 columns" in runs[0]
    assert "2026-03-10  drift: 4 of 6 columns drifted: age" in runs[0]
    assert "since 2026-03-10" in runs[0]
    assert "(revised)" in runs[1]
    assert "new level from 2026-03-10" in text["mlctl monitor history requests --html history.html"]
    assert "**drift**" in text["mlctl monitor diff requests 2026-03-05 2026-03-11"]
    assert "[muted until 2026-04-01" in text["mlctl monitor run --since 2026-03-10"]
    assert "students, #42" in text["mlctl monitor mute --ls"]
    assert "<h1>requests: history</h1>" in (project / "history.html").read_text()
    reports = list((project / "reports/monitoring/requests").glob("2026-03-07.*.json"))
    assert len(reports) == 2  # estimated first, final then
