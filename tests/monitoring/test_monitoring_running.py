"""`mlctl monitor` over periods: late labels, gaps, mutes, bad input, killed writes, other verbs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from browser import browse, needs_browser
from mlctl.cli.main import run as mlctl
from mlctl.monitoring import workflows
from mlctl.monitoring.proposing import propose
from mlctl.monitoring.report import committed
from mlctl.monitoring.running import run_monitor

START = datetime(2026, 3, 2)
MONITOR = """\
schema: mlctl.monitor/1
current: {path: data/log/*.parquet}
time: at
every: day
id: id
reference: {path: data/reference.parquet}
slices: [plan]
predictions: {value: said, scores: {"1": p}}
labels: {path: data/labels.parquet, key: id, column: y, time: known, wait: 7d}
performance: {task: classification, limits: {accuracy: {drop: 0.1}}}
"""


def rows(day: int, count: int = 300, shift: float = 0.0, turned: float = 0.0) -> pl.DataFrame:
    rng = np.random.default_rng(day)
    x = rng.normal(shift, 1, count)
    p = 1 / (1 + np.exp(-2 * x))
    plan = rng.choice(["a", "b"], count)
    y = (rng.random(count) < p) ^ ((rng.random(count) < turned) & (plan == "b"))
    at = [START + timedelta(days=day, minutes=4 * n) for n in range(count)]
    return pl.DataFrame(
        {
            "id": [f"{day}-{n}" for n in range(count)], "at": at, "x": x, "plan": plan,
            "said": (p > 0.5).astype(int), "p": p, "y": y.astype(int),
        }
    )  # fmt: skip


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in (".dvc", "monitors", "data/log"):
        (tmp_path / folder).mkdir(parents=True)
    rows(99, 3000).drop("at", "id").write_parquet(tmp_path / "data/reference.parquet")
    (tmp_path / "monitors/m.yaml").write_text(MONITOR)
    log(tmp_path, {0: {}, 1: {}, 2: {}})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def log(root: Path, days: dict[int, dict[str, float]], labelled: float = 0.0) -> None:
    labels = []
    for day, how in days.items():
        table = rows(day, **how)  # type: ignore[arg-type]
        table.drop("y").write_parquet(root / f"data/log/{day}.parquet")
        known = table.head(round(labelled * table.height))
        labels.append(known.select("id", "y", known=pl.lit(START + timedelta(days=day + 1))))
    pl.concat(labels).write_parquet(root / "data/labels.parquet")


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted((root / "reports").rglob("*"))
        if path.is_file()
    }


def test_labels_that_come_late_make_a_new_revision(root: Path):
    first = run_monitor(root, "m")
    marks = [[s.mark for s in p.report.scores] for p in first.periods]
    assert marks == [["estimated", "estimated"]] * 3
    before = files(root)
    assert run_monitor(root, "m").touched == ()
    assert files(root) == before
    log(root, {0: {}, 1: {}, 2: {}}, labelled=0.5)
    assert [p.report.revision for p in run_monitor(root, "m").periods] == [2, 2, 2]
    log(root, {0: {}, 1: {}, 2: {}}, labelled=1.0)
    third = run_monitor(root, "m")
    assert [p.report.labels.mark for p in third.periods if p.report.labels] == ["final"] * 3
    assert [p.report.period for p in run_monitor(root, "m").periods] == ["2026-03-04"]
    assert set(before) <= set(files(root))  # nothing that was committed is gone
    kept = committed.revisions(root, "m", "2026-03-02")
    assert [r.labels.mark for r in kept if r.labels] == ["estimated", "partial", "final"]
    estimate = kept[-1].scores[0].estimate
    assert estimate is not None
    assert estimate.error == pytest.approx(
        estimate.value - (kept[-1].scores[0].value or 0), abs=1e-3
    )


def test_an_old_period_that_got_worse_moves_since_of_later_ones(root: Path):
    log(root, {0: {"turned": 0.9}, 1: {"shift": 1.5}, 2: {"shift": 1.5}})
    run_monitor(root, "m")
    found = {r.period: r for r in committed.newest(root, "m")}
    assert (found["2026-03-02"].verdict, found["2026-03-04"].alarm.since) == ("ok", "2026-03-03")
    log(root, {0: {"turned": 0.9}, 1: {"shift": 1.5}, 2: {"shift": 1.5}}, labelled=1.0)
    (root / "data/log/2.parquet").unlink()  # its rows are gone; its report is not
    run_monitor(root, "m")
    found = {r.period: r for r in committed.newest(root, "m")}
    assert found["2026-03-02"].verdict == "degraded"
    assert found["2026-03-02"].causes[0].name.startswith("plan = b")
    assert found["2026-03-04"].alarm.since == "2026-03-02"


def test_since_and_gaps_and_a_period_that_goes_on(root: Path, capsys: pytest.CaptureFixture[str]):
    run_monitor(root, "m", since="2026-03-03", until="2026-03-03")
    assert [r.period for r in committed.newest(root, "m")] == ["2026-03-03"]
    assert [p.report.period for p in run_monitor(root, "m").periods] == [
        "2026-03-02", "2026-03-03", "2026-03-04",
    ]  # fmt: skip
    now = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    late = rows(3).with_columns(at=pl.lit(now))
    late.drop("y").write_parquet(root / "data/log/9.parquet")
    assert mlctl(["monitor", "run", "m", "--since", f"{now - timedelta(days=1):%Y-%m-%d}"]) == 0
    assert "is not over yet" in capsys.readouterr().out
    done = run_monitor(root, "m", since=f"{now:%Y-%m-%d}", unfinished=True)
    assert done.periods[-1].report.period == f"{now:%Y-%m-%d}"
    assert done.going_on == ""


def test_a_mute_is_applied_by_running_again(root: Path, capsys: pytest.CaptureFixture[str]):
    log(root, {0: {}, 1: {"shift": 1.5}, 2: {"shift": 1.5}})
    text = MONITOR + "fail_on: alarm\n"
    (root / "monitors/m.yaml").write_text(text)
    assert mlctl(["monitor", "run"]) == 1
    mute = ["monitor", "mute", "m", "--until", "2026-03-04", "--reason", "known"]
    assert mlctl(mute) == 0
    assert mlctl(["monitor", "run", "--since", "2026-03-03"]) == 1
    alarms = [(r.alarm.state, r.alarm.since) for r in committed.newest(root, "m")]
    assert alarms == [("quiet", ""), ("muted", ""), ("raised", "2026-03-04")]
    assert mlctl([*mute[:4], "2026-04-01", *mute[5:]]) == 0
    assert mlctl(["monitor", "run", "--since", "2026-03-03"]) == 0
    assert "[muted until 2026-04-01: known]" in capsys.readouterr().out


def test_bad_rows_are_findings_and_the_rest_is_judged(
    root: Path, capsys: pytest.CaptureFixture[str]
):
    table = rows(1)
    odd = table.drop("y").with_columns(
        x=pl.lit(2.5), plan=pl.lit(None, dtype=pl.String), extra=pl.lit(1)
    )
    pl.concat([odd, odd.head(7)]).write_parquet(root / "data/log/1.parquet")
    rows(4, 3).drop("y").write_parquet(root / "data/log/4.parquet")
    (root / "data/log/broken.parquet").write_bytes(b"PAR1")
    labels = pl.concat([rows(77, 40), table]).select("id", "y", known=pl.lit(START))
    labels.write_parquet(root / "data/labels.parquet")
    assert mlctl(["monitor", "run"]) == 0
    found = {r.period: r for r in committed.newest(root, "m")}
    codes = {f.code for f in found["2026-03-03"].findings}
    assert codes >= {
        "constant_column", "all_missing", "duplicate_ids", "new_column", "unreadable_file",
    }  # fmt: skip
    assert found["2026-03-03"].verdict in {"drift", "degraded"}
    assert found["2026-03-05"].verdict == "insufficient"
    assert {f.code for f in found["2026-03-05"].findings} >= {"empty_period"}
    assert found["2026-03-06"].verdict == "insufficient"  # 3 rows
    assert "labels_without_predictions" in {f.code for f in found["2026-03-06"].findings}
    assert "Traceback" not in capsys.readouterr().err


def test_nothing_that_can_be_checked_ends_in_3(root: Path, capsys: pytest.CaptureFixture[str]):
    for path in (root / "data/log").iterdir():
        path.unlink()
    rows(0, 5).drop("y").write_parquet(root / "data/log/0.parquet")
    (root / "data/log/1.parquet").write_bytes(b"PAR1")
    assert mlctl(["monitor", "run"]) == 3
    said = capsys.readouterr().err
    assert "nothing could be checked" in said
    assert committed.newest(root, "m")  # the report is there all the same


def test_a_run_killed_at_any_moment_is_put_right_by_the_next(root: Path):
    run_monitor(root, "m")
    whole = files(root)
    for path in sorted((root / "reports").rglob("*")):
        if path.is_file():
            path.unlink()
    code = "from mlctl.monitoring.running import run_monitor; run_monitor('.', 'm')"
    for wait in (0.35, 0.45, 0.5, 0.55, 0.6, 0.7):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=root)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in (root / "reports").rglob("*.json"):
            json.loads(path.read_text())  # whole, or not there
    run_monitor(root, "m")
    left = {name: data for name, data in files(root).items() if not name.endswith(".tmp")}
    assert left == whole


def test_the_periods_before_and_a_baseline_are_references_too(root: Path):
    run_text = MONITOR.replace("{path: data/reference.parquet}", "{before: 2}")
    (root / "monitors/m.yaml").write_text(run_text)
    reports = [p.report for p in run_monitor(root, "m").periods]
    assert [r.verdict for r in reports] == ["insufficient", "ok", "ok"]
    assert [r.reference.rows for r in reports] == [0, 300, 600]
    assert reports[-1].versus == "periods"
    (root / "monitors/m.yaml").write_text(MONITOR)
    assert mlctl(["monitor", "baseline", "m", "-o", "models/best/baseline.json"]) == 0
    (root / "data/reference.parquet").unlink()
    text = MONITOR.replace("{path: data/reference.parquet}", "{model: models/best}")
    (root / "monitors/m.yaml").write_text(text)
    log(root, {0: {}, 1: {"shift": 1.0}, 2: {}})
    found = [p.report for p in run_monitor(root, "m", since="2026-03-02").periods]
    assert [r.verdict for r in found] == ["ok", "drift", "ok"]
    assert found[1].columns[0].error > 0
    assert found[1].scores[0].estimate is not None
    assert found[1].slices[0].note.startswith("a baseline does not know")


def test_joint_tests_skew_feedback_and_compat_go_through_the_command(root: Path):
    more = (
        "joint: [pca, domain_classifier, mmd]\ncompat: evidently\n"
        "skew: {path: data/features.parquet, key: id}\n"
        "feedback: {path: data/features.parquet, target: y, key: id}\n"
    )
    (root / "monitors/m.yaml").write_text(MONITOR + more)
    table = pl.concat([rows(day) for day in range(3)])
    broken = table.with_columns(x=pl.when(pl.col("plan") == "a").then(0.0).otherwise(pl.col("x")))
    broken.with_columns(y=pl.col("said")).drop("at").write_parquet(root / "data/features.parquet")
    report = run_monitor(root, "m").periods[-1].report
    assert {test.metric for test in report.joint} == {"pca", "domain_classifier", "mmd"}
    assert {f.code for f in report.findings} >= {"training_serving_skew", "feedback_loop"}
    assert report.verdict == "drift"
    assert report.compat is not None
    assert {c.name for c in report.compat.columns} == {"x", "plan", "said", "p"}
    again = committed.find(root, "m")
    assert (again.compat, again.joint) == (report.compat, report.joint)


def test_init_proposes_what_parses_and_proposes_it_again(
    root: Path, capsys: pytest.CaptureFixture[str]
):
    log(root, {0: {}, 1: {}}, labelled=1.0)
    asked = ["--current", "data/log/*.parquet", "--reference", "data/reference.parquet"]
    asked += ["--labels", "data/labels.parquet"]
    assert mlctl(["monitor", "init", "m", *asked]) == 2  # never over what is there
    assert "is there already" in capsys.readouterr().err
    assert mlctl(["monitor", "init", "fresh", *asked]) == 0
    text = (root / "monitors/fresh.yaml").read_text()
    for line in (
        "time: at", "every: day", "id: id", "slices: [plan]",
        "labels: {path: data/labels.parquet, key: id, column: \"y\", time: known, wait: 7d}",
    ):  # fmt: skip
        assert line in text
    assert text == propose(
        root, "data/log/*.parquet", "data/reference.parquet", "data/labels.parquet"
    )
    assert mlctl(["monitor", "run", "fresh"]) == 0


def test_history_and_diff_read_reports_alone(root: Path, capsys: pytest.CaptureFixture[str]):
    days = {day: {"shift": 1.5 if day > 5 else 0.0} for day in range(12)}
    log(root, days)
    run_monitor(root, "m")
    for path in (root / "data").rglob("*.parquet"):
        path.unlink()
    capsys.readouterr()
    assert mlctl(["monitor", "history", "m", "--column", "x", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    by_name = {line["name"]: line for line in said["series"]}
    assert by_name["x"]["changes"] == ["2026-03-08"]
    assert mlctl(["monitor", "history", "m", "-n", "3"]) == 0
    assert "2026-03-11 … 2026-03-13" in capsys.readouterr().out
    assert mlctl(["monitor", "diff", "m", "2026-03-05", "--check"]) == 1
    assert "| `x` | ok | **drift** |" in capsys.readouterr().out
    assert mlctl(["monitor", "diff", "m", "2026-03-12", "2026-03-05", "--check"]) == 0


@needs_browser
def test_pages_are_whole_in_a_browser(root: Path, tmp_path: Path):
    log(root, {0: {}, 1: {"turned": 0.9}, 2: {"shift": 1.5}}, labelled=1.0)
    done = run_monitor(root, "m")
    assert mlctl(["monitor", "history", "m", "--html", "h.html"]) == 0
    page = next(path for path in done.periods[1].paths if path.endswith(".html"))
    for place in (page, "h.html"):
        text = (root / place).read_text()
        dom, complaints = browse(text, tmp_path)
        assert complaints == ""
        assert "2026-03-03" in dom
        assert len(text) < 200_000
    shown = (root / page).read_text()
    first = shown.index("The model got worse")
    assert "in this period" in shown[first : first + 60]


def test_retraining_is_due_once_and_proposes(root: Path, capsys: pytest.CaptureFixture[str]):
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".dvc").rmdir()
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True)
    policy = "retrain: {run: [train], metrics: metrics.json, metric: auc}\n"
    (root / "monitors/m.yaml").write_text(MONITOR + policy)
    (root / "metrics.json").write_text('{"auc": 0.8}')
    stage = "stages:\n  train:\n    cmd: echo '{\"auc\":0.9}' > metrics.json\n"
    (root / "dvc.yaml").write_text(stage + "    metrics:\n      - metrics.json: {cache: false}\n")
    run_monitor(root, "m")
    assert mlctl(["monitor", "retrain", "m", "--dry"]) == 0
    assert "not due: no alarm is raised" in capsys.readouterr().out
    log(root, {0: {}, 1: {}, 2: {"shift": 1.5}})
    run_monitor(root, "m", since="2026-03-02")
    assert mlctl(["monitor", "retrain", "m", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)["done"]
    assert (done["before"], done["after"], done["promote"]) == (0.8, 0.9, True)
    proposal = root / "reports/monitoring/m/retrain/2026-03-04.md"
    assert "**Promote** the new model" in proposal.read_text()
    assert mlctl(["monitor", "retrain", "m"]) == 0
    assert "answered already" in capsys.readouterr().out
    log(root, {0: {}, 1: {}, 2: {"shift": 1.5}, 3: {}, 4: {"shift": 1.5}})
    run_monitor(root, "m")
    assert mlctl(["monitor", "retrain", "m"]) == 0
    assert "it cools down" in capsys.readouterr().out


def test_the_workflows_keep_one_issue_for_an_incident(root: Path, tmp_path: Path):
    text = workflows.github("0 6 * * *")
    job = yaml.safe_load(text)["jobs"]["monitor"]
    assert yaml.safe_load(workflows.gitlab("0 6 * * *"))["monitor"]["rules"]
    log(root, {0: {}, 1: {"shift": 1.5}, 2: {"shift": 1.5}})
    run_monitor(root, "m")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(
        "#!/bin/sh\n"
        "case $2 in\n"
        '  list) [ -e "$STATE" ] && echo 7 || true;;\n'
        '  create) echo "$4" >> "$STATE";;\n'
        '  close) rm "$STATE"; echo "closed $3" >> "$STATE.done";;\n'
        "esac\n"
    )
    (tools / "gh").chmod(0o755)
    bin_ = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{tools}:{bin_}:{os.environ['PATH']}", "STATE": str(tools / "s")}
    issues = next(step["run"] for step in job["steps"] if step.get("name") == "Issues")
    for _ in range(2):
        subprocess.run(["bash", "-e", "-c", issues], cwd=root, env=env, check=True)
    assert (tools / "s").read_text() == "mlctl: m since 2026-03-03\n"
    log(root, {0: {}, 1: {"shift": 1.5}, 2: {"shift": 1.5}, 3: {}})
    run_monitor(root, "m")
    for _ in range(2):
        subprocess.run(["bash", "-e", "-c", issues], cwd=root, env=env, check=True)
    assert (tools / "s.done").read_text() == "closed 7\n"


def test_a_version_of_the_data_is_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def git(*args: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], check=True)

    monkeypatch.chdir(tmp_path)
    dvc = [sys.executable, "-m", "dvc"]
    git("init", "-q")
    subprocess.run([*dvc, "init", "-q"], check=True)
    for seed, tag in ((1, "v1"), (2, "v2")):
        table = rows(seed, 800, shift=2.0 * (seed - 1)).select("x", "plan")
        table.write_parquet("ref.parquet")
        subprocess.run([*dvc, "add", "-q", "ref.parquet"], check=True)
        git("add", "-A")
        git("commit", "-qm", tag)
        git("tag", tag)
    rows(5, 500).select("x", "plan").write_parquet("cur.parquet")
    (tmp_path / "monitors").mkdir()
    for name, more in (("old", ", rev: v1"), ("new", "")):
        text = "schema: mlctl.monitor/1\ncurrent: {path: cur.parquet}\n"
        text += f"reference: {{path: ref.parquet{more}}}\n"
        (tmp_path / f"monitors/{name}.yaml").write_text(text)
    old, new = (run_monitor(tmp_path, name).periods[0].report for name in ("old", "new"))
    assert (old.verdict, new.verdict) == ("ok", "drift")
    assert old.reference.path == "ref.parquet@v1"
    pointer = subprocess.run(
        ["git", "show", "v1:ref.parquet.dvc"], capture_output=True, text=True, check=True
    ).stdout
    assert old.reference.digest.removeprefix("md5:") in pointer
