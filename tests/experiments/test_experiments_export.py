"""Runs as other tools read them; a folder for MLflow is read by the importer's own reader."""

import csv
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from record_builders import write_run

from mlctl.cli.main import run
from mlctl.experiments.importing import import_runs
from mlctl.experiments.query import list_runs
from mlctl.records.run import CodeState

FOREIGN = Path(__file__).parent / "foreign"
LOSS = (0.9, 0.5, math.nan, 0.25)


@pytest.fixture
def two(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two runs whose parameters are of several kinds."""
    monkeypatch.chdir(repo)
    write_run(
        repo,
        0,
        params={"lr": 0.1, "layers": [8, 4], "name": "a,b\nc", "depth": 3, "big": 2**70},
        metrics={"auc": 0.75, "loss": 0.25},
        curves={"loss": LOSS},
        name="first",
        git=CodeState("c0ffee0" + "0" * 33, "main", None, dirty=True),
    )
    write_run(repo, 1, params={"lr": 1, "depth": "deep"}, metrics={"auc": 0.875}, git=None)
    return repo


def test_parquet(two: Path, capsys) -> None:
    assert run(["exp", "export", "out/runs.parquet"]) == 0
    assert capsys.readouterr().out == "2 runs: out/runs.parquet, out/runs.steps.parquet\n"
    runs = pl.read_parquet(two / "out" / "runs.parquet")
    newest, oldest = list_runs(str(two))
    assert runs["run"].to_list() == [oldest.id, newest.id]
    assert runs["name"].to_list() == ["first", None]
    assert runs["started"].dtype == pl.Datetime("ms", "UTC")
    assert runs["dirty"].to_list() == [True, None]
    assert runs["params.lr"].to_list() == [0.1, 1.0]
    assert runs["params.layers"].to_list() == ["[8,4]", None]
    assert runs["params.depth"].to_list() == ["3", "deep"]
    assert runs["params.big"].to_list() == [str(2**70), None]
    assert runs["metrics.auc"].to_list() == [0.75, 0.875]
    steps = pl.read_parquet(two / "out" / "runs.steps.parquet")
    assert steps["run"].to_list() == [oldest.id] * 4
    assert steps["step"].to_list() == [0, 1, 2, 3]
    assert steps["stage"].to_list() == ["train"] * 4
    assert [str(value) for value in steps["value"]] == ["0.9", "0.5", "nan", "0.25"]


def test_csv(two: Path) -> None:
    assert run(["exp", "export", "runs.csv"]) == 0
    with open(two / "runs.csv", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["params.name"], first["params.layers"]) == ("a,b\nc", "[8,4]")
    assert (first["metrics.auc"], second["metrics.auc"]) == ("0.75", "0.875")
    assert (first["dirty"], second["dirty"], second["params.name"]) == ("true", "", "")
    with open(two / "runs.steps.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["value"]) for row in rows][1] == ("1.0", "0.5")


def test_json(two: Path) -> None:
    assert run(["exp", "export", "runs.jsonl", "--where", "metrics.auc > 0.8"]) == 0
    (line,) = (two / "runs.jsonl").read_text().splitlines()
    said = json.loads(line)
    assert (said["params"], said["metrics"]) == ({"lr": 1, "depth": "deep"}, {"auc": 0.875})


def test_named_runs_and_json(two: Path, capsys) -> None:
    assert run(["exp", "export", "runs.json", "first", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"schema": "mlctl.exp.export/1", "runs": 1, "paths": ["runs.json"]}
    assert json.loads((two / "runs.json").read_text())["steps"][2]["metrics"] == {"loss": "NaN"}


def test_what_cannot_be_exported_is_refused(two: Path, repo: Path, capsys) -> None:
    assert run(["exp", "export", "runs.xyz"]) == 2
    assert "--to: csv, json, mlflow, parquet" in capsys.readouterr().err
    assert run(["exp", "export", "runs.csv", "--where", "metrics.auc > 5"]) == 2
    assert run(["exp", "export", "runs.csv", "nobody"]) == 2
    assert not (repo / "runs.csv").exists()


def test_a_folder_for_mlflow(two: Path) -> None:
    assert run(["exp", "export", "../mlruns", "--to", "mlflow"]) == 0
    (folder,) = (path.parent for path in two.parent.glob("mlruns/*/meta.yaml"))
    first = next(path for path in folder.iterdir() if (path / "params" / "layers").exists())
    assert (first / "params" / "lr").read_text() == "0.1"
    assert (first / "params" / "layers").read_text() == "[8,4]"
    assert (first / "tags" / "mlflow.runName").read_text() == "first"
    lines = [line.split() for line in (first / "metrics" / "loss").read_text().splitlines()]
    assert [(value, step) for _, value, step in lines] == [
        ("0.9", "0"), ("0.5", "1"), ("nan", "2"), ("0.25", "3"),
    ]  # fmt: skip
    assert [int(b[0]) - int(a[0]) for a, b in pairwise(lines)] == [2000] * 3


def test_exporting_to_mlflow_again_adds_what_is_new(two: Path) -> None:
    assert run(["exp", "export", "../mlruns", "--to", "mlflow"]) == 0
    before = state(two.parent / "mlruns")
    write_run(two, 2, metrics={"auc": 0.5})
    assert run(["exp", "export", "../mlruns", "--to", "mlflow"]) == 0
    after = state(two.parent / "mlruns")
    assert {path: after[path] for path in before} == before
    assert sum(path.name == "meta.yaml" for path in after.keys() - before.keys()) == 1


def state(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_runs_of_mlflow_come_back_as_they_were(repo: Path, monkeypatch, tmp_path: Path) -> None:
    """There and back: the same ids, values, times, tags and notes, and so the same records."""
    monkeypatch.chdir(repo)
    (repo / ".dvc").mkdir()
    import_runs(str(repo), str(FOREIGN / "mlruns"))
    assert run(["exp", "export", str(tmp_path / "there"), "--to", "mlflow"]) == 0
    again = tmp_path / "again"
    (again / ".dvc").mkdir(parents=True)
    import_runs(str(again), str(tmp_path / "there"))
    old, new = facts(repo), facts(again)
    assert len(old) == 3
    assert old == new


def test_what_went_to_mlflow_does_not_come_back_as_another_run(two: Path) -> None:
    assert run(["exp", "export", "../mlruns", "--to", "mlflow"]) == 0
    done = import_runs(str(two), str(two.parent / "mlruns"))
    assert (done.records, len(done.present)) == ([], 2)


def facts(root: Path) -> dict[str, Any]:
    found = {}
    for head in list_runs(str(root)):
        folder = next(root.glob(f"runs/*/{head.id}"))
        steps = [path.read_text() for path in folder.glob("metrics.jsonl")]
        notes = [path.read_text() for path in folder.glob("notes.md")]
        seen = {"params": head.params, "name": head.name, "status": head.status}
        found[head.id] = (str(seen), str(head.metrics), head.origin, steps, notes)
    return found


def test_keys_that_mlflow_refuses_are_changed(repo: Path, monkeypatch) -> None:
    monkeypatch.chdir(repo)
    odd = {"a": 1.0, "a/b": 2.0, "../../up": 3.0, "mAP50(B)": 4.0, "/top": 5.0, "x" * 300: 6.0}
    write_run(repo, 0, metrics=odd)
    assert run(["exp", "export", "../mlruns", "--to", "mlflow"]) == 0
    (folder,) = repo.parent.glob("mlruns/*/*/metrics")
    values = {
        path.relative_to(folder).as_posix(): float(path.read_text().split()[1])
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert {values[name] for name in values} == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
    assert values["mAP50_B_"] == 4.0
    assert not (repo.parent / "up").exists()
