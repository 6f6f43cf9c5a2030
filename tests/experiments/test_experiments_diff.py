"""`mlctl exp diff`: two runs compared, from their records and from git."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from again_project import Again, package

from mlctl.experiments.again.difference import DataChange, difference
from mlctl.experiments.again.side import Side
from mlctl.records.run import Host, RunHead
from mlctl.records.run_stages import FileRecord, StageRecord


@pytest.fixture(autouse=True)
def _same_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def box(tmp_path: Path) -> Again:
    return Again(tmp_path / "p")


def side(**fields: object) -> Side:
    values = {"params": {}, "metrics": {}, "stages": (), "packages": {}, **fields}
    host = Host(2, "CPython 3.11.9", "Linux x86_64")
    head = RunHead("01KAS0ME00RVN0000000000000", "finished", "", "", 1.0, ("mlctl", "run"), 1, host)
    return Side(head, **values)


def test_two_equal_runs_differ_in_nothing() -> None:
    one = side(params={"lr": float("nan")}, metrics={"auc": float("nan")})
    assert difference(one, one).is_empty
    again = side(params={"lr": float("nan")}, metrics={"auc": float("nan")})
    assert difference(one, again).is_empty


def test_values_are_added_removed_and_changed() -> None:
    a = side(params={"lr": 0.1, "gone": None}, packages={"numpy": "1.26.4"})
    b = side(params={"lr": 0.2, "new": 1}, packages={"numpy": "2.0.0"})
    found = difference(a, b)
    assert [(c.name, c.what, c.old, c.new) for c in found.params] == [
        ("gone", "removed", None, None),
        ("lr", "changed", 0.1, 0.2),
        ("new", "added", None, 1),
    ]
    assert [(c.name, c.old, c.new) for c in found.packages] == [("numpy", "1.26.4", "2.0.0")]
    assert difference(a, side(packages=None)).packages is None


def test_metrics_differ_by_so_much() -> None:
    a = side(metrics={"auc": 0.5, "loss": -2.0, "zero": 0.0, "gone": 1.0})
    b = side(metrics={"auc": 0.75, "loss": -1.0, "zero": 1.0})
    found = {m.name: (m.difference, m.relative) for m in difference(a, b).metrics}
    assert found == {
        "auc": (0.25, 0.5), "gone": (None, None), "loss": (1.0, 0.5), "zero": (1.0, None)
    }  # fmt: skip


def test_what_a_stage_reads_is_code_data_or_derived() -> None:
    def stages(mark: str) -> tuple[StageRecord, ...]:
        names = ["src", "raw.csv", "clean/part.csv", "train.py", "notes"]
        deps = tuple(FileRecord(name, f"md5:{mark}") for name in names)
        out = FileRecord("clean", f"md5:{mark}.dir")
        prepare = StageRecord("prepare", "ran", "python prepare.py", outs=(out,))
        return (prepare, StageRecord("train", "ran", "python train.py", deps=deps))

    a = side(stages=stages("a"), tracked=frozenset({"src/model/net.py"}))
    found = difference(a, replace(a, stages=stages("b"))).data
    assert {it.path: it.kind for it in found} == {
        "src": "code",
        "raw.csv": "data",
        "clean/part.csv": "derived",
        "train.py": "code",
        "notes": "data",
    }
    assert found[0] == DataChange("train", "clean/part.csv", "derived", "md5:a", "md5:b")


def test_two_runs_side_by_side(box: Again, tmp_path: Path) -> None:
    first = box.record()
    box.write("helper.py", "BONUS = 0\nMORE = 1\n")
    box.data("1\n2\n4\n")
    code, _ = box.run("run", "-S", "train.lr=0.25")
    assert code == 0
    box.commit()
    data = box.json("exp", "diff")
    assert data["a"] == first
    assert [(c["name"], c["old"], c["new"]) for c in data["params"]] == [("train.lr", 0.5, 0.25)]
    assert [m["name"] for m in data["metrics"]] == ["auc"]
    assert [(d["path"], d["kind"]) for d in data["data"]] == [
        ("data/raw.csv", "data"), ("data/clean.csv", "derived")
    ]  # fmt: skip
    files = [(f["path"], f["added"], f["removed"]) for f in data["code"]["files"]]
    assert files == [("helper.py", 1, 0)]
    code, said = box.run("exp", "diff", "--code")
    assert code == 0
    for part in ("train.lr", "helper.py", "+MORE = 1", "data/raw.csv", "The same: seeds, packages"):
        assert part in said
    code, said = box.run("exp", "diff", "--md")
    assert "### Parameters\n\n| Parameter |" in said


def test_a_run_and_itself(box: Again) -> None:
    box.record()
    code, said = box.run("exp", "diff", "last", "last")
    assert (code, said.startswith("No difference between ")) == (0, True)


def test_a_run_and_the_workspace(box: Again) -> None:
    box.record()
    same = box.json("exp", "diff", "last", "workspace")
    assert (same["params"], same["metrics"], same["data"], same["packages"]) == ([], [], [], [])
    assert (same["b"], same["code"]["same"]) == (None, True)
    box.write("train.py", box.read("train.py") + "# more\n")
    box.write("params.yaml", box.read("params.yaml").replace("seed: 1", "seed: 2"))
    found = box.json("exp", "diff", "last", "workspace")
    assert [c["name"] for c in found["seeds"]] == ["train.seed"]
    assert [(d["path"], d["kind"]) for d in found["data"]] == [("train.py", "code")]
    assert [f["path"] for f in found["code"]["files"]] == ["train.py"]


def test_packages_of_two_runs(box: Again, tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        env = package(tmp_path / version, version, 0)
        assert box.mlctl("run", "-f", env=env).returncode == 0
    found = json.loads(box.mlctl("exp", "diff", "--json").stdout)["packages"]
    assert [(c["name"], c["old"], c["new"]) for c in found] == [("tinylib", "1.0", "2.0")]


def test_code_that_is_not_here_is_said(box: Again, tmp_path: Path) -> None:
    box.write("train.py", box.read("train.py") + "# " + "x" * 100_000)
    box.record(commit=False)
    box.git("checkout", "-q", "train.py")
    box.record("-f", commit=False)
    box.commit()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", f"file://{box.root}", str(clone)], check=True)
    done = box.mlctl("exp", "diff", "-C", str(clone), "--json")
    code = json.loads(done.stdout)["code"]
    assert (code["same"], "its snapshot" in code["reason"]) == (False, True)
    shutil.rmtree(clone / ".git")
    assert box.mlctl("exp", "diff", "-C", str(clone)).returncode == 0
