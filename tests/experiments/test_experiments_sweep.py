"""`mlctl exp run`: every combination of some values is a run of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from e2e.sandbox import Sandbox, wait_until
from mlctl.errors import InvalidInput
from mlctl.experiments.sweep import combinations

PARAMS = """\
# what we try
train:
  lr: 0.5  # not tuned
  kind: tree
"""
TRAIN = """\
import json, sys, time
import yaml
params = yaml.safe_load(open("params.yaml"))["train"]
if params["kind"] == "broken":
    sys.exit("broken")
open("began", "w").close()
time.sleep(params.get("wait", 0))
json.dump({"score": params["lr"] * 2}, open("metrics.json", "w"))
open("model.txt", "w").write(str(params))
"""
STAGE = {
    "cmd": "python train.py",
    "deps": ["train.py"],
    "params": ["train"],
    "outs": ["model.txt"],
    "metrics": [{"metrics.json": {"cache": False}}],
}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    # `python` in a stage's command is the interpreter of the tests.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    box = Sandbox(tmp_path / "repo")
    box.git("config", "user.name", "Ada")
    box.git("config", "user.email", "ada@example.org")
    box.write("params.yaml", PARAMS)
    box.write("train.py", TRAIN)
    box.write(".gitignore", "/began\n/model.txt\n")
    box.stages({"train": STAGE})
    box.commit()
    return box


def names(found: list) -> list[str]:
    return [combination.name for combination in found]


def test_values_are_combined() -> None:
    found = combinations(["a=1,2", "b.c='x,y',z", "seed=7"])
    assert [it.overrides for it in found] == [
        ("a=1", "b.c='x,y'", "seed=7"),
        ("a=1", "b.c=z", "seed=7"),
        ("a=2", "b.c='x,y'", "seed=7"),
        ("a=2", "b.c=z", "seed=7"),
    ]
    assert names(found) == ["a=1,b.c='x,y'", "a=1,b.c=z", "a=2,b.c='x,y'", "a=2,b.c=z"]
    assert names(combinations(["conf.yaml:+a=[1,2],{b: 3}"], "mine")) == [
        "mine a=[1,2]",
        "mine a={b: 3}",
    ]
    assert names(combinations(["a=1", "~b"])) == ["a=1,~b"]


def test_without_values_it_is_one_run_with_a_name(sandbox: Sandbox) -> None:
    code, said = sandbox.run("exp", "run", "--name", "baseline")
    assert code == 0, said
    assert [head["name"] for head in sandbox.records()] == ["baseline"]
    assert "[1 of 1]" not in said
    assert sandbox.run("exp", "run", "--force")[0] == 0
    assert "name" not in sandbox.records()[1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["a"], "expected KEY=VALUE"),
        (["a=1,(2"], "cannot read"),
        (["a=1,"], "cannot read"),
        ([f"p{at}=1,2" for at in range(11)], "2048 combinations"),
    ],
)
def test_what_is_no_sweep_is_refused(settings: list[str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words.replace("(", r"\(")):
        combinations(settings)


def test_each_combination_is_a_run_with_a_record(sandbox: Sandbox) -> None:
    code, said = sandbox.run("exp", "run", "-S", "train.lr=0.1,0.2", "-S", "train.kind=tree,linear")
    assert code == 0, said
    heads = sandbox.records()
    assert [head["name"] for head in heads] == [
        "train.lr=0.1,train.kind=tree",
        "train.lr=0.1,train.kind=linear",
        "train.lr=0.2,train.kind=tree",
        "train.lr=0.2,train.kind=linear",
    ]
    assert [head["metrics"]["score"] for head in heads] == [0.2, 0.2, 0.4, 0.4]
    assert heads[1]["params"] == {"train.lr": 0.1, "train.kind": "linear"}
    assert all(head["git"]["dirty"] and head["git"]["snapshot"] for head in heads)
    assert sandbox.read("params.yaml") == PARAMS
    assert not (sandbox.root / ".mlctl/sweep.json").exists()
    assert "[4 of 4] train.lr=0.2,train.kind=linear" in said
    table = said[said.rindex("[4 of 4]") :]
    assert all(head["id"][10:16] in table for head in heads)


def test_one_that_fails_does_not_stop_the_others(sandbox: Sandbox) -> None:
    code, said = sandbox.run(
        "exp", "run", "-S", "train.kind=tree,broken,linear", "--name", "kinds", "--json"
    )
    assert code == 1
    runs = json.loads(said[said.index("{") :])["runs"]
    assert [run["status"] for run in runs] == ["finished", "failed", "finished"]
    assert [run["name"] for run in runs][1] == "kinds train.kind=broken"
    assert runs[2]["metrics"] == {"score": 1.0}
    assert runs[1]["overrides"] == ["train.kind=broken"]
    assert [head["id"] for head in sandbox.records()] == [run["id"] for run in runs]
    assert sandbox.read("params.yaml") == PARAMS


def test_what_is_known_does_not_run_again_unless_asked(sandbox: Sandbox) -> None:
    sweep = ("exp", "run", "-S", "train.lr=0.1,0.2")
    assert sandbox.run(*sweep)[0] == 0
    first = [head["id"][10:16] for head in sandbox.records()]
    code, said = sandbox.run(*sweep)
    assert code == 0
    assert len(sandbox.records()) == 2
    assert "2 combinations known from before" in said
    table = said[said.rindex("[2 of 2]") :]
    assert all(short in table for short in first)
    assert sandbox.run(*sweep, "--force")[0] == 0
    assert len(sandbox.records()) == 4


def test_nothing_runs_where_one_combination_is_wrong(sandbox: Sandbox) -> None:
    code, said = sandbox.run("exp", "run", "-S", "train.lr=0.1", "-S", "train.kidn=tree,linear")
    assert code == 2
    assert "there is no parameter 'kidn'" in said
    code, said = sandbox.run("exp", "run", "-S", "train.lr=0.1,0.2", "nothing")
    assert code == 2
    assert sandbox.records() == []
    assert sandbox.read("params.yaml") == PARAMS


def test_the_records_are_committed_in_one_commit_and_nothing_else(sandbox: Sandbox) -> None:
    sandbox.write("notes.txt", "mine\n")
    sandbox.git("add", "notes.txt")
    code, said = sandbox.run("exp", "run", "-S", "train.lr=0.1,0.2", "--commit")
    assert code == 0, said
    assert sandbox.git("log", "--format=%s", "-2").splitlines()[0] == "Record a sweep of 2 runs"
    changed = sandbox.git("show", "--name-only", "--format=", "HEAD").split()
    assert changed
    assert all(name.startswith("runs/") for name in changed)
    assert "A  notes.txt" in sandbox.git("status", "--porcelain")


def test_ctrl_c_ends_the_sweep_and_puts_the_parameters_back(sandbox: Sandbox) -> None:
    sandbox.write("params.yaml", PARAMS + "  wait: 60\n")
    before = sandbox.read("params.yaml")
    with sandbox.started("exp", "run", "-S", "train.lr=0.1,0.2") as process:
        wait_until(lambda: (sandbox.root / "began").exists(), 60)
        assert sandbox.read("params.yaml") != before
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert sandbox.read("params.yaml") == before
    heads = sandbox.records()
    assert [head["status"] for head in heads] == ["interrupted"]


def test_where_it_was_killed_the_next_sweep_puts_the_parameters_back(sandbox: Sandbox) -> None:
    sandbox.write("params.yaml", PARAMS + "  wait: 60\n")
    before = sandbox.read("params.yaml")
    with sandbox.started("exp", "run", "-S", "train.lr=0.1,0.2") as process:
        wait_until(lambda: (sandbox.root / "began").exists(), 60)
        code, said = sandbox.run("exp", "run", "-S", "train.lr=7")
        assert code == 4
        assert "another sweep is under way" in said
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
    assert "lr: 0.1" in sandbox.read("params.yaml")
    code, said = sandbox.run("exp", "run", "-S", "train.lr=7", "-S", "train.wait=0")
    assert code == 0, said
    assert "params.yaml was put back as it was before" in said
    assert sandbox.read("params.yaml") == before


def test_what_somebody_edited_since_a_sweep_was_killed_stays(sandbox: Sandbox) -> None:
    path = str(sandbox.root / "params.yaml")
    (sandbox.root / ".mlctl").mkdir()
    kept = {"before": {path: PARAMS}, "after": {path: PARAMS.replace("0.5", "0.1")}}
    sandbox.write(".mlctl/sweep.json", json.dumps(kept))
    sandbox.write("params.yaml", PARAMS.replace("0.5", "0.3"))
    assert sandbox.run("exp", "run", "-S", "train.kind=linear")[0] == 0
    assert sandbox.read("params.yaml") == PARAMS.replace("0.5", "0.3")
    assert not (sandbox.root / ".mlctl/sweep.json").exists()
