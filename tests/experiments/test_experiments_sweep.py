"""`mlctl exp run`: every combination of some values is a run of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.sandbox import MLCTL, Sandbox, wait_until
from mlctl.errors import Busy, InvalidInput
from mlctl.experiments.sweep import borrowed, combinations

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


# Ends only when all three are at work at one time.
WAIT_FOR_ANOTHER = """
import os, pathlib
meeting = pathlib.Path(os.environ["MEETING"])
(meeting / str(os.getpid())).touch()
for _ in range(1200):
    if len(list(meeting.iterdir())) == 4:
        break
    time.sleep(0.05)
else:
    sys.exit("nobody came")
"""


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
    assert names(found) == ["a=1,c='x,y'", "a=1,c=z", "a=2,c='x,y'", "a=2,c=z"]
    assert names(combinations(["conf.yaml:+a=[1,2],{b: 3}"], "mine")) == [
        "mine a=[1,2]",
        "mine a={b: 3}",
    ]
    assert names(combinations(["a=1", "~b"])) == ["a=1,~b"]
    assert names(combinations(["a.lr=1,2", "b.lr=3,4"]))[0] == "a.lr=1,b.lr=3"


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
        "lr=0.1,kind=tree",
        "lr=0.1,kind=linear",
        "lr=0.2,kind=tree",
        "lr=0.2,kind=linear",
    ]
    assert [head["metrics"]["score"] for head in heads] == [0.2, 0.2, 0.4, 0.4]
    assert heads[1]["params"] == {"train.lr": 0.1, "train.kind": "linear"}
    assert all(head["git"]["dirty"] and head["git"]["snapshot"] for head in heads)
    assert sandbox.read("params.yaml") == PARAMS
    assert not (sandbox.root / ".mlctl/sweep.json").exists()
    assert "[4 of 4] lr=0.2,kind=linear" in said
    table = said[said.rindex("[4 of 4]") :]
    assert all(head["id"][10:16] in table for head in heads)


def test_one_that_fails_does_not_stop_the_others(sandbox: Sandbox) -> None:
    code, said = sandbox.run(
        "exp", "run", "-S", "train.kind=tree,broken,linear", "--name", "kinds", "--json"
    )
    assert code == 1
    runs = json.loads(said[said.index("{") :])["runs"]
    assert [run["status"] for run in runs] == ["finished", "failed", "finished"]
    assert [run["name"] for run in runs][1] == "kinds kind=broken"
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
    code, said = sandbox.run("exp", "run", "-S", "train.lr=0.1,0.2", "--commit")
    assert code == 0
    assert "not committed" not in said  # there was nothing to commit


def test_records_go_to_their_own_branch_where_that_is_set(sandbox: Sandbox) -> None:
    sandbox.write("mlctl.yaml", "records: {commit: auto, store: branch}\n")
    sandbox.commit()
    head = sandbox.git("rev-parse", "HEAD")
    code, said = sandbox.run("exp", "run", "-S", "train.lr=0.1,0.2", "--at-once", "2")
    assert code == 0, said
    assert sandbox.git("rev-parse", "HEAD") == head
    names = [run["name"] for run in sandbox.json("exp", "ls")["runs"]]
    assert sorted(names) == ["lr=0.1", "lr=0.2"]
    listed = sandbox.git("ls-tree", "-r", "--name-only", "mlctl/runs").split()
    assert sum(name.endswith("run.json") for name in listed) == 2


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


def test_what_somebody_edits_meanwhile_stays(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("a: 0\n")
    two.write_text("b: 0\n")

    def edit_one() -> None:
        with borrowed(str(tmp_path), [str(one), str(two)]) as try_out:
            try_out({str(one): "a: 1\n", str(two): "b: 1\n"})
            one.write_text("a: mine\n")
            try_out({str(one): "a: 2\n"})

    def remove_two() -> None:
        with borrowed(str(tmp_path), [str(one), str(two)]) as try_out:
            try_out({str(two): "b: 1\n"})
            two.unlink()

    with pytest.raises(Busy, match=r"one\.yaml was edited while the sweep ran"):
        edit_one()
    assert (one.read_text(), two.read_text()) == ("a: mine\n", "b: 0\n")
    with pytest.raises(Busy, match=r"two\.yaml was edited"):
        remove_two()
    assert (one.read_text(), two.exists()) == ("a: mine\n", False)
    assert sorted(os.listdir(tmp_path)) == ["one.yaml"]


def test_what_somebody_edited_since_a_sweep_was_killed_stays(sandbox: Sandbox) -> None:
    path = str(sandbox.root / "params.yaml")
    (sandbox.root / ".mlctl").mkdir()
    kept = {"before": {path: PARAMS}, "after": {path: PARAMS.replace("0.5", "0.1")}}
    sandbox.write(".mlctl/sweep.json", json.dumps(kept))
    sandbox.write("params.yaml", PARAMS.replace("0.5", "0.3"))
    assert sandbox.run("exp", "run", "-S", "train.kind=linear")[0] == 0
    assert sandbox.read("params.yaml") == PARAMS.replace("0.5", "0.3")
    assert not (sandbox.root / ".mlctl/sweep.json").exists()


def test_combinations_side_by_side_leave_the_workspace_as_it_is(sandbox: Sandbox) -> None:
    sandbox.write("data/rows.csv", "1\n2\n")
    assert sandbox.run("data", "add", "data/rows.csv")[0] == 0
    train = TRAIN.replace("import yaml", "import helper, yaml") + WAIT_FOR_ANOTHER
    sandbox.write("train.py", train)
    sandbox.write("helper.py", "")  # neither is committed
    sandbox.stages({"train": {**STAGE, "deps": ["train.py", "data/rows.csv"]}})
    sandbox.write("notes.txt", "mine\n")
    sandbox.git("add", "notes.txt")
    before, status = sandbox.tree(), sandbox.git("status", "--porcelain")
    meeting = str(sandbox.root.parent / "meeting")
    sandbox.write("../meeting/here", "")
    sweep = ("exp", "run", "-S", "train.lr=0.1,0.2,0.3", "--at-once", "3", "--json")
    done = sandbox.mlctl(*sweep, env={"MEETING": meeting}, timeout=120)
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [run["metrics"] for run in runs] == [{"score": lr * 2} for lr in (0.1, 0.2, 0.3)]
    heads = {head["id"]: head for head in sandbox.records()}
    assert [heads[run["id"]]["name"] for run in runs] == [
        "lr=0.1",
        "lr=0.2",
        "lr=0.3",
    ]
    commit = sandbox.git("rev-parse", "HEAD").strip()
    for head in heads.values():
        assert head["git"]["commit"] == commit
        assert (
            head["env"] is None
            or (sandbox.root / "runs/_env" / f"{head['env'].removeprefix('sha256:')}.txt").exists()
        )
        files = sandbox.git("ls-tree", "--name-only", head["git"]["snapshot"]).split()
        assert "helper.py" in files
    assert sandbox.git("status", "--porcelain").replace("?? runs/\n", "") == status
    local = (".git/", ".mlctl/", ".dvc/", "runs/")
    after = {path: seen for path, seen in sandbox.tree().items() if not path.startswith(local)}
    assert after == {path: seen for path, seen in before.items() if not path.startswith(local)}
    assert list((sandbox.root / ".mlctl/scratch").iterdir()) == []
    assert sandbox.git("worktree", "list").count("\n") == 1


def test_side_by_side_one_may_fail(sandbox: Sandbox) -> None:
    sweep = ("exp", "run", "-S", "train.kind=broken,linear", "--at-once", "2")
    done = sandbox.mlctl(*sweep, "--no-record-commit", timeout=120)
    assert done.returncode == 1
    assert "✗ [1 of 2] kind=broken" in done.stdout
    assert "✓ [2 of 2] kind=linear" in done.stdout
    assert "broken" in done.stderr
    assert sorted(head["status"] for head in sandbox.records()) == ["failed", "finished"]


def test_side_by_side_needs_a_commit(tmp_path: Path) -> None:
    box = Sandbox(tmp_path / "bare")
    box.write("params.yaml", PARAMS)
    box.write("train.py", TRAIN)
    box.stages({"train": STAGE})
    code, said = box.run("exp", "run", "-S", "train.lr=1,2", "--at-once", "2")
    assert code == 3
    assert "needs a git repository with a commit" in said


def test_ctrl_c_ends_those_side_by_side(sandbox: Sandbox) -> None:
    sandbox.write("params.yaml", PARAMS + "  wait: 60\n")
    sandbox.write("train.py", TRAIN.replace('open("began"', 'open(os.environ["BEGAN"]'))
    sandbox.write("train.py", "import os\n" + sandbox.read("train.py"))
    began = sandbox.root.parent / "began"
    argv = [*MLCTL, "exp", "run", "-S", "train.lr=0.1,0.2,0.3", "--at-once", "1"]
    process = subprocess.Popen(
        argv, cwd=sandbox.root, env={**os.environ, "BEGAN": str(began)}, start_new_session=True
    )
    wait_until(began.exists, 60)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(60) == 130
    assert [head["status"] for head in sandbox.records()] == ["interrupted"]
    assert list((sandbox.root / ".mlctl/scratch").iterdir()) == []
