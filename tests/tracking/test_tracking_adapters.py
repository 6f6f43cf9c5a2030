"""Adapters for frameworks, with the real ones; and `Live` where a script has DVCLive's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlctl.experiments import live
from tracking import frameworks

LIVE = """\
from mlctl.tracking.live import Live
with Live(save_dvc_exp=True, dvcyaml=False) as live:
    live.log_param("lr", 0.1)
    live.log_params({"net": {"depth": 3}})
    for epoch in range(3):
        live.log_metric("train/loss", 1 / (epoch + 1))
        live.log_metric("acc", epoch, plot=False)
        live.next_step()
    live.log_image("i.png", __import__("numpy").zeros((2, 2)))
    live.log_artifact("dvc.yaml", type="model", name="it")
    live.log_sklearn_plot("roc", [0, 1, 0, 1], [0.1, 0.9, 0.2, 0.7])
    live.log_sklearn_plot("confusion_matrix", [0, 1], [1, 1], name="cm.json")
    live.log_plot("bars", [{"a": "x", "b": 1}], x="a", y="b", template="bar_horizontal", title="T")
    live.summary["best"] = 7
"""


@pytest.mark.parametrize("name", frameworks.HERE)
def test_a_training_with(name, tmp_path):
    (tmp_path / ".git").mkdir()
    tests = str(Path(frameworks.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, frameworks.__file__, name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": tests, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "mlctl:" not in done.stderr


def test_a_script_of_dvclive_in_a_stage_that_declares_its_files(box):
    box.write("train.py", LIVE)
    box.stages({"train": {
        "cmd": "python train.py",
        "metrics": [{"dvclive/metrics.json": {"cache": False}}],
        "plots": [
            {"dvclive/plots/metrics": {"x": "step"}},
            {"dvclive/plots/sklearn/roc.json": {"x": "fpr", "y": "tpr"}},
            "dvclive/plots/images/i.png",
        ],
    }})  # fmt: skip
    code, said = box.run("run")
    assert code == 0, said
    summary = {"train": {"loss": 1 / 3}, "acc": 2, "best": 7, "step": 2}
    assert json.loads(box.read("dvclive/metrics.json")) == summary
    assert box.read("dvclive/plots/metrics/train/loss.tsv").splitlines() == [
        "step\tloss", "0\t1.0", "1\t0.5", f"2\t{1 / 3!r}",
    ]  # fmt: skip
    assert json.loads(box.read("dvclive/params.yaml")) == {"lr": 0.1, "net": {"depth": 3}}
    (head,) = box.root.glob("runs/*/*/run.json")
    rows = [json.loads(row) for row in (head.parent / "metrics.jsonl").read_text().splitlines()]
    assert [(row["step"], row["metrics"]) for row in rows][:2] == [
        (0, {"train/loss": 1.0}), (0, {"acc": 0.0}),
    ]  # fmt: skip
    files = [json.loads(row) for row in (head.parent / "artifacts.jsonl").read_text().splitlines()]
    assert [(row["kind"], row["name"]) for row in files] == [
        ("image", "i.png"), ("artifact", "it"), ("plot", "roc"), ("plot", "cm.json"),
        ("plot", "bars"),
    ]  # fmt: skip
    roc = json.loads((head.parent / files[2]["path"]).read_text())
    assert roc["data"]["values"][-1] == {"fpr": 1.0, "tpr": 1.0}
    assert roc["encoding"]["x"]["field"] == "fpr"
    bars = json.loads((head.parent / files[4]["path"]).read_text())
    assert (bars["mark"], bars["title"]) == ("bar", "T")


def test_live_goes_on_where_it_was(tmp_path, monkeypatch):
    from mlctl.tracking import _current
    from mlctl.tracking.live import Live

    monkeypatch.setenv("MLCTL_RUN_DIR", str(tmp_path / "live"))
    monkeypatch.setenv("MLCTL_STAGE", "train")
    monkeypatch.setattr(_current._runs, "open", [])
    for resume in (False, True):
        it = Live(str(tmp_path / "d"), resume=resume)
        for _ in range(2):
            it.log_metric("a", np.float32(it.step))
            it.next_step()
        it.end()
        it.end()
    found = live.step_lines([live.Source(str(tmp_path / "live"), None)], 0.0)
    assert [(line.step, line.metrics["a"]) for line in found] == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert json.loads((tmp_path / "d" / "metrics.json").read_text()) == {"a": 3, "step": 3}


@pytest.mark.parametrize("kind", ["roc", "precision_recall", "det", "calibration"])
def test_curves_of_sklearn(kind):
    from mlctl.tracking.sklearn import curve

    points, x, y, template = curve(kind, [0, 1, 0, 1, 1], [0.1, 0.9, 0.6, 0.7, 0.3])
    assert len(points) > 1
    assert all(0 <= point[x] <= 1 and 0 <= point[y] <= 1 for point in points)
    assert template == "linear"
