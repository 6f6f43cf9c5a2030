import json
import re
import sys

import pytest

from mlctl.cli._steps import drawn, plan_json, plan_lines, status_lines, step_json
from mlctl.pipeline.plan import Reason, Step
from mlctl.pipeline.spec import Settings, Stage


def stage(name: str, on: str | None = None) -> Stage:
    return Stage("dvc.yaml", name, cmd=f"python {name}.py", settings=Settings(on=on))


STEPS = [
    Step(Stage("data/raw.csv.dvc", None)),
    Step(stage("prepare"), (Reason("dep", "data/raw.csv", "modified"),), ("data/raw.csv.dvc",), 12),
    Step(
        stage("train@a", "gpu"),
        (
            Reason("upstream", "prepare"),
            Reason("param", "params.yaml", "modified", "train.lr", 0.1, 0.2),
        ),
        ("prepare",),
        110,
    ),
    Step(stage("train@b", "gpu"), (Reason("upstream", "prepare"),), ("prepare",), 100),
    Step(stage("report"), (Reason("upstream", "train@a"), Reason("upstream", "train@b")),
         ("train@a", "train@b")),
]  # fmt: skip


def test_status_shows_what_changed_and_why() -> None:
    assert status_lines(STEPS) == [
        "Changed stages:",
        "  prepare  data/raw.csv modified",
        "  train@a  params.yaml: train.lr 0.1 → 0.2",
        "           after prepare",
        "  train@b  after prepare",
        "  report   after train@a, train@b",
        "",
        (
            "4 of 5 stages and data files changed, 1 unchanged. "
            "Run `mlctl run` to bring them up to date."
        ),
    ]


def test_status_of_nothing_changed_is_one_line() -> None:
    steps = [Step(stage("a")), Step(stage("b"))]
    assert status_lines(steps) == ["Pipeline is up to date."]
    assert status_lines(steps, show_all=True) == [
        "Unchanged stages:", "  a", "  b", "Pipeline is up to date.",
    ]  # fmt: skip
    assert status_lines([]) == ["There are no stages."]


def test_a_data_file_is_not_called_a_stage() -> None:
    data = Step(Stage("raw.csv.dvc", None), (Reason("out", "raw.csv", "modified"),))
    assert status_lines([data])[::3] == [
        "Changed data files:",
        "1 of 1 data file changed. Run `mlctl run` to bring them up to date.",
    ]
    lines = status_lines([data, Step(stage("a"))], show_all=True)
    assert lines[3] == "Unchanged stages:"
    assert lines[-1].startswith("1 of 2 stages and data files changed, 1 unchanged.")


def test_a_very_long_name_takes_a_line_of_its_own() -> None:
    long = "train@" + "x" * 60
    lines = status_lines([Step(stage(long), (Reason("always"),)), *STEPS[1:2]])
    assert lines[1:4] == [f"  {long}", "           always runs", "  prepare  data/raw.csv modified"]


def test_plan_is_numbered_in_waves_with_times() -> None:
    assert plan_lines(STEPS, jobs=2) == [
        (
            "4 of 5 stages and data files would run, in 3 waves, 2 jobs, "
            "about 2m 02s and 1 stage of unknown time."
        ),
        "",
        "Wave 1",
        "  1  prepare   ~12.0s          data/raw.csv modified",
        "",
        "Wave 2, 2 side by side",
        "  2  train@a  ~1m 50s  on gpu  params.yaml: train.lr 0.1 → 0.2",
        "                               after prepare",
        "  3  train@b  ~1m 40s  on gpu  after prepare",
        "",
        "Wave 3",
        "  4  report                    after train@a, train@b",
    ]


def test_plan_of_nothing_changed() -> None:
    assert plan_lines([Step(stage("a"))], jobs=1) == ["Pipeline is up to date."]


def test_lines_wrap_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlctl.cli._steps.width", lambda: 60)
    old = "python -m project.train --epochs 10 --lr 0.1 --seed 3 --data data/train.parquet"
    new = "python -m project.train --epochs 20 --lr 0.2 --seed 4 --data data/test.parquet"
    lines = status_lines([Step(stage("train"), (Reason("cmd", old=old, new=new),))])
    assert max(map(len, lines[:-1])) <= 60
    assert len(lines) > 4


def test_step_json_is_json_and_names_its_fields() -> None:
    data = json.loads(json.dumps(step_json(STEPS[2])))
    assert data == {
        "stage": "train@a",
        "file": "dvc.yaml",
        "name": "train@a",
        "cmd": "python train@a.py",
        "changed": True,
        "reasons": [
            {"kind": "upstream", "path": "prepare", "text": "after prepare"},
            {
                "kind": "param", "path": "params.yaml", "detail": "modified", "name": "train.lr",
                "old": 0.1, "new": 0.2, "text": "params.yaml: train.lr 0.1 → 0.2",
            },
        ],
        "needs": ["prepare"],
        "expected_seconds": 110,
        "executor": "gpu",
        "frozen": False,
    }  # fmt: skip


def test_plan_json() -> None:
    data = plan_json(STEPS, jobs=1)
    assert data["waves"] == [["prepare"], ["train@a", "train@b"], ["report"]]
    assert data["expected_seconds"] == 222
    assert data["expected_unknown"] == ["report"]
    assert len(data["steps"]) == 5


def test_colours_only_where_they_show(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn("train", "changed") == "train"
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert drawn("train", "changed") == "\033[33mtrain\033[0m"
    assert drawn("train", None) == "train"
    plain = [re.sub(r"\033\[[0-9;]*m", "", line) for line in plan_lines(STEPS, jobs=2)]
    monkeypatch.setenv("NO_COLOR", "1")
    assert plan_lines(STEPS, jobs=2) == plain


def test_the_renderer_of_status_needs_no_rich() -> None:
    import subprocess

    code = "import sys, mlctl.cli._steps; sys.exit('rich' in sys.modules or 'typer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
