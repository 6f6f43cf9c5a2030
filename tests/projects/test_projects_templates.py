from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from sklearn import datasets

from mlctl.projects import templates
from mlctl.projects.init import start

VARIANTS = [
    ("tabular", {"task": "classification"}),
    ("tabular", {"task": "regression", "target": "y", "id": "row"}),
    ("vision", {}),
]


def write_raw(root: Path, dataset: str, target: str, row: str) -> None:
    bunch = getattr(datasets, f"load_{dataset}")()
    columns = {n.replace(" ", "_"): bunch.data[:, i] for i, n in enumerate(bunch.feature_names)}
    (root / "data").mkdir(exist_ok=True)
    table = pl.DataFrame({row: range(len(bunch.target)), **columns, target: bunch.target})
    table.write_csv(root / "data" / "raw.csv")


def test_each_template_has_a_name_and_none_comes_last():
    assert templates.names() == ["tabular", "vision", "none"]


@pytest.mark.parametrize(("template", "answers"), VARIANTS)
def test_a_rendered_project_is_clean_and_its_own_tests_pass(template, answers, run, tmp_path):
    root = tmp_path / "p"
    start(root, template=template, answers=answers)
    style = ("--select", "E,F,I,B,UP,ANN,C90", "--no-cache")
    run(sys.executable, "-m", "ruff", "check", *style, ".", cwd=root)
    run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache", ".", cwd=root)
    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=root)
    left = [path for path in root.rglob("*") if path.suffix == ".jinja" or "{" in path.name]
    assert not left


@pytest.mark.parametrize(
    ("dataset", "task"), [("diabetes", "regression"), ("wine", "classification")]
)
def test_the_tabular_pipeline_runs_with_stock_dvc(dataset, task, run, tmp_path):
    root = tmp_path / "p"
    start(root, template="tabular", answers={"task": task, "target": "y", "id": "row"})
    write_raw(root, dataset, "y", "row")
    run("dvc", "add", "-q", "data/raw.csv", cwd=root)
    run("dvc", "repro", "-q", cwd=root)
    assert run("dvc", "status", "-q", cwd=root).returncode == 0
    found = json.loads((root / "metrics" / "test.json").read_text())
    assert found["accuracy"] > 0.9 if task == "classification" else found["r2"] > 0.3
    assert run("git", "status", "--porcelain", "--", "predictions", cwd=root).stdout == ""


def test_training_repeats_byte_for_byte(run, tmp_path):
    root = tmp_path / "p"
    start(root, template="tabular")
    write_raw(root, "breast_cancer", "target", "id")
    run("dvc", "repro", "-q", "train@deep", cwd=root)
    lock = (root / "dvc.lock").read_bytes()
    run("dvc", "repro", "-q", "-f", "train@deep", cwd=root)
    assert (root / "dvc.lock").read_bytes() == lock
    names = [feature["name"] for feature in model_card(root / "models" / "deep")["features"]]
    assert len(names) == 30
    assert "target" not in names
    assert "id" not in names


def model_card(folder: Path) -> dict:
    from mlctl.adapters import yaml

    return yaml.load((folder / "model.yaml").read_text(), name="model.yaml")


def test_the_vision_pipeline_runs_with_stock_dvc(run, mlctl, tmp_path):
    root = tmp_path / "p"
    start(root, template="vision")
    run("dvc", "repro", "-q", cwd=root)
    assert run("dvc", "status", "-q", cwd=root).returncode == 0
    assert json.loads((root / "metrics" / "test.json").read_text())["accuracy"] > 0.9
    assert model_card(root / "models" / "digits")["flavor"] == "torch"
    assert not (root / "checkpoints").exists()
    digits = datasets.load_digits()
    pixels = (digits.data * 255 / 16).round() / 255
    table = pl.DataFrame(pixels, schema=[f"pixel_{number}" for number in range(64)])
    table.write_parquet(root / "pixels.parquet")
    mlctl("predict", "models/digits", "pixels.parquet", "-o", "predicted.csv", cwd=root)
    predicted = pl.read_csv(root / "predicted.csv")["prediction"]
    assert (predicted.cast(int) == pl.Series(digits.target)).mean() > 0.9
