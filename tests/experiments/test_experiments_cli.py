"""`mlctl exp ls` and `mlctl exp show`, as people and scripts read them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from run_builders import START, run_result, train_stage

from mlctl.adapters import clock
from mlctl.cli.main import run
from mlctl.experiments.capture import write_record
from mlctl.experiments.code import code_state
from mlctl.experiments.table import metric_names, number_format, param_names, short_names
from mlctl.pipeline.spec import Stage
from mlctl.records.run import Host, RunHead
from mlctl.records.ulid import new_ulid


@pytest.fixture
def project(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (repo / ".dvc").mkdir()
    monkeypatch.chdir(repo)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return repo


def record(root: Path, minutes_ago: int, lr: float, auc: float, outcome: str = "ran") -> str:
    (root / "metrics.json").write_text(json.dumps({"test": {"auc": auc}, "rows": 100}))
    started = clock.now() - 60 * minutes_ago - 1
    status = "failed" if outcome == "failed" else "finished"
    result = run_result(train_stage(lr, outcome, started=started), started=started, status=status)
    write_record(str(root), result, code_state(str(root), products=["metrics.json"]), None)
    return result.run_id


def test_the_list_shows_what_differs(project: Path, git, capsys) -> None:
    old = record(project, 200, 0.1, 0.81)
    record(project, 90, 0.05, 0.85, outcome="failed")
    (project / "train.py").write_text("print(2)\n")
    new = record(project, 5, 0.01, 0.9125)
    assert run(["exp", "ls"]) == 0
    head, first, second, third, empty, footer = capsys.readouterr().out.splitlines()
    commit = git("rev-parse", "--short=7", "HEAD")
    assert head.split() == ["run", "age", "ran", "time", "auc", "rows", "lr", "commit"]
    assert first.split() == f"✓ {new[10:16]} 5m train 3.0s 0.9125 100 0.01 {commit}*".split()
    assert second.split()[3:] == ["train", "failed", "3.0s", "0.05", commit]
    assert third.split()[:3] == ["✓", old[10:16], "3h"]
    assert "depth" not in head  # it is the same in all runs
    assert (empty, footer) == ("", "3 runs · * with uncommitted changes")


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
def test_the_list_fits_the_terminal(project: Path, capsys, monkeypatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for index in range(3):
        names = {f"valid.some_long_metric_{i}": index + i / 7 for i in range(20)}
        stage = replace(train_stage(lr=index), stage=Stage("sub/dvc.yaml", "s" * 50))
        result = run_result(stage, started=START + index)
        write_record(str(project), result, None, None, metrics=names)
    assert run(["exp", "ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[:-1])) <= columns
    assert "more metrics" in lines[-1]


def test_the_list_as_json_and_its_limits(project: Path, capsys) -> None:
    ids = [record(project, 10 - i, i, 0.5) for i in range(3)]
    assert run(["exp", "ls", "-n", "2", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema"], data["total"]) == ("mlctl.exp.ls/1", 3)
    assert [item["id"] for item in data["runs"]] == ids[:0:-1]
    assert data["runs"][0]["metrics"]["test.auc"] == 0.5
    assert run(["exp", "ls", "--all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 3


def test_a_project_without_runs(project: Path, capsys) -> None:
    assert run(["exp", "ls"]) == 0
    assert "No runs are recorded yet" in capsys.readouterr().out
    assert run(["exp", "show"]) == 2
    assert "`mlctl run` records the first one" in capsys.readouterr().err


def test_outside_of_a_project(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["exp", "ls"]) == 2
    assert "error:" in capsys.readouterr().err


def test_a_run_is_shown_whole(project: Path, capsys) -> None:
    (project / "train.py").write_text("print(2)\n")
    (project / ".env").write_text("TOKEN=1\n")
    run_id = record(project, 5, 0.1, 0.9125)
    assert run(["exp", "show"]) == 0
    text = capsys.readouterr().out
    for part in (
        f"✓ run {run_id}  finished in 3.0s",
        f"short id  {run_id[10:16]}, characters 11 to 16 of its id",
        "5m ago",
        "mlctl run -j2",
        "on main, with uncommitted changes (snapshot ",
        "left out  .env",
        "test.auc  0.9125",
        "train.lr     0.1",
        "━━━",
    ):
        assert part in text
    assert "md5:" not in text
    assert run(["exp", "show", run_id[10:16].lower(), "-v"]) == 0
    verbose = capsys.readouterr().out
    for part in (
        "$ python train.py",
        "because params.yaml: train.lr 0.05 → 0.1",
        f"external:big.csv  md5:{'b' * 32}  99 B",
        "peak memory 123.0 MB",
    ):
        assert part in verbose


def test_a_run_as_json(project: Path, capsys) -> None:
    run_id = record(project, 5, 0.1, float("nan"))
    assert run(["exp", "show", "last", "--json"]) == 0
    data = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (data["schema"], data["id"]) == ("mlctl.exp.show/1", run_id)
    assert data["metrics"] == {"test.auc": "NaN", "rows": 100}
    assert data["stages"][0]["outs"][0]["digest"] == "md5:" + "c" * 32


def head(**fields: object) -> RunHead:
    values = {
        "status": "finished",
        "started": "",
        "ended": "",
        "seconds": 1.0,
        "argv": (),
        "jobs": 1,
    }
    return RunHead(new_ulid(START, bytes(10)), **{**values, "host": Host(1, "", "")}, **fields)


def test_the_telling_metrics_come_first() -> None:
    heads = [
        head(metrics={"train.auc": 0.9, "constant": 1.0, "valid.auc": 0.8, "rows": 1, "rare": 0.1}),
        head(metrics={"train.auc": 0.8, "constant": 1.0, "valid.auc": 0.7, "rows": 2}),
    ]
    assert metric_names(heads) == ["valid.auc", "train.auc", "rows", "constant", "rare"]


def test_only_parameters_that_differ_count() -> None:
    heads = [
        head(params={"lr": 0.1, "same": {"x": 1}, "only_one": 1, "list": [1]}),
        head(params={"lr": 0.2, "same": {"x": 1}, "list": [2]}),
    ]
    assert param_names(heads) == ["list", "lr", "only_one"]
    cut = [head(params={"lr": 0.1, "long": "x"}), head(params={"lr": 0.1}, truncated={"params": 1})]
    assert param_names(cut) == []


def test_names_are_as_short_as_they_can_be() -> None:
    names = ["valid.auc", "train.auc", "test.loss", "m/a.json:f1", "m/b.json:f1", "plain"]
    assert list(short_names(names).values()) == [
        "valid.auc", "train.auc", "loss", "a:f1", "b:f1", "plain"
    ]  # fmt: skip
    assert short_names(["x/a.json:f1", "y/a.json:f1"]) == {
        "x/a.json:f1": "x/a.json:f1", "y/a.json:f1": "y/a.json:f1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.91324, 0.5], ["0.9132", "0.5000"]),
        ([12.3456, 1.0], ["12.35", "1.00"]),
        ([123456.7, 1.0], ["123456.7", "1.0"]),
        ([1e-5, 0.1], ["1e-05", "0.1"]),
        ([120000, 7], ["120000", "7"]),
        ([float("nan"), 0.5], ["NaN", "0.5000"]),
        ([0.0, 0.0], ["0.0000", "0.0000"]),
        ([5, float("inf")], ["5", "Infinity"]),
    ],
)
def test_numbers_of_a_column_read_alike(values: list[float], texts: list[str]) -> None:
    assert [number_format(values)(value) for value in values] == texts
