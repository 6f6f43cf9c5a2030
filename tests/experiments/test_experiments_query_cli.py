"""`exp ls` with its options, and `exp tag`, `note`, `rename`, `archive`, `rm` and `pack`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from record_builders import write_run

from conftest import Git
from mlctl.cli.main import run
from mlctl.experiments.events import add_event
from mlctl.experiments.query import run_facts
from mlctl.records.run import run_folder

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ids(repo: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four runs, the oldest first, in the current folder."""
    monkeypatch.chdir(repo)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    models = ("tree", "net", "net", "tree")
    aucs, sizes = (0.8, 0.9, 0.7, 0.95), (10, 20, 30, 40)
    return [
        write_run(repo, n, params={"model": model}, metrics={"auc": aucs[n], "size": sizes[n]})
        for n, model in enumerate(models)
    ]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """The exit code of `mlctl exp ARGS`, and what it says."""

    def ask(*args: str) -> tuple[int, str, str]:
        code = run(["exp", *args])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def told(ask: Ask, *args: str) -> Any:
    code, out, err = ask(*args, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def listed(ask: Ask, *args: str) -> list[str]:
    return [head["id"] for head in told(ask, "ls", *args)["runs"]]


def test_filter_order_and_number(ids: list[str], ask: Ask) -> None:
    assert listed(ask, "--where", "metrics.auc > 0.75", "--sort", "metrics.auc", "-n", "2") == [
        ids[0], ids[1],
    ]  # fmt: skip
    assert listed(ask, "--sort", "-metrics.auc", "--all") == [ids[3], ids[1], ids[0], ids[2]]
    code, out, _ = ask("ls", "-w", "metrics.auc > 0.75", "-n", "1")
    assert (code, out.splitlines()[-1]) == (0, "1 of 3 runs")
    assert ask("ls", "-w", "metrics.auc > 5")[1] == "No run is like that.\n"
    code, out, err = ask("ls", "-w", "metrics.acu > 5")
    assert (code, out) == (2, "")
    assert "no run has a field 'metrics.acu'\n  metrics.acu > 5\n  ^\n" in err
    assert "did you mean metrics.auc?" in err


def test_columns_that_are_asked_for(ids: list[str], ask: Ask) -> None:
    code, out, _ = ask("ls", "--columns", "metrics.auc,params.model,started", "-n", "2")
    head, first, second, *_ = out.splitlines()
    assert code == 0
    assert head.split() == ["run", "age", "metrics.auc", "params.model", "started"]
    assert first.split()[3:] == ["0.9500", "tree", "2026-11-24", "02:03"]
    assert second.split()[1] == ids[2][10:16]
    code, _, err = ask("ls", "--columns", "auc")
    assert code == 2
    assert "did you mean metrics.auc?" in err


def test_groups(ids: list[str], ask: Ask) -> None:
    data = told(ask, "ls", "--group", "params.model")
    assert [(it["value"], it["runs"]) for it in data["groups"]] == [
        ("tree", [ids[3], ids[0]]),
        ("net", [ids[2], ids[1]]),
    ]
    assert data["groups"][0]["metrics"]["size"] == {"mean": 25.0, "min": 10, "max": 40, "runs": 2}
    _, out, _ = ask("ls", "--group", "params.model")
    assert out.splitlines()[1].split()[:2] == ["tree", "2"]
    assert out.splitlines()[-1] == "4 runs in 2 groups by params.model"


def test_the_runs_that_no_other_one_beats(ids: list[str], ask: Ask) -> None:
    assert listed(ask, "--pareto", "metrics.auc:max,metrics.size:min") == [ids[3], ids[1], ids[0]]
    assert listed(ask, "--pareto", "metrics.auc:min, metrics.size:min") == [ids[2], ids[0]]
    assert listed(ask, "--pareto", "metrics.auc:max") == [ids[3]]
    code, _, err = ask("ls", "--pareto", "metrics.auc")
    assert code == 2
    assert "'metrics.auc' is no goal" in err


def test_tags_names_and_notes_are_shown(ids: list[str], ask: Ask) -> None:
    short = ids[1][10:16]
    assert (
        ask("tag", short, "baseline", "two words")[1] == f"Tagged {short}: baseline, two words.\n"
    )
    assert ask("tag", short, "baseline")[1] == "It is so already.\n"
    assert ask("tag", short, "two words", "--remove")[0] == 0
    assert ask("rename", short, "wide")[1] == f"{short} is called wide now.\n"
    assert ask("rename", "wide", "wide")[1] == f"{short} is called wide already.\n"
    assert ask("note", "wide", "one\ntwo")[0] == 0
    assert "one\ntwo" in ask("note", "wide")[1]
    assert [it["text"] for it in told(ask, "note", "wide")["notes"]] == ["one\ntwo"]
    (head,) = told(ask, "ls", "-w", "tags contains baseline")["runs"]
    assert (head["id"], head["name"], head["tags"]) == (ids[1], "wide", ["baseline"])
    assert ask("ls")[1].splitlines()[0].split()[:4] == ["run", "age", "name", "tags"]
    shown = ask("show", "wide")[1].splitlines()
    assert [line.split() for line in shown[1:3]] == [["name", "wide"], ["tags", "baseline"]]
    assert shown[3].endswith("one")
    data = told(ask, "show", "wide")
    assert (data["name"], data["tags"], data["notes"][0]["text"]) == (
        "wide", ["baseline"], "one\ntwo",
    )  # fmt: skip


@pytest.mark.parametrize(
    "args", [("tag", "last", " "), ("tag", "last", "x" * 201), ("rename", "last", "a\nb"),
             ("note", "last", "  "), ("tag", "nothing", "x"), ("archive", "nothing")],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(
    ids: list[str], ask: Ask, args: tuple[str, ...], repo: Path
) -> None:
    assert ask(*args)[0] == 2
    assert not list(repo.glob("runs/*/*/events/*"))


def test_archived_runs_are_not_listed(ids: list[str], ask: Ask) -> None:
    assert ask("archive", ids[0][10:16], ids[1][10:16])[0] == 0
    assert listed(ask) == [ids[3], ids[2]]
    assert listed(ask, "--archived") == ids[::-1]
    assert ask("ls")[1].splitlines()[-1] == "2 runs · 2 archived (--archived)"
    assert told(ask, "show", ids[0])["archived"] is True
    assert ask("archive", ids[0], "--undo")[0] == 0
    assert listed(ask) == [ids[3], ids[2], ids[0]]


def test_a_record_is_removed_only_where_git_has_it(
    ids: list[str], ask: Ask, repo: Path, git: Git
) -> None:
    code, _, err = ask("rm", ids[0])
    assert code == 2
    assert "is not committed as it is: it would be gone for good" in err
    git("add", "runs")
    git("commit", "-q", "-m", "runs")
    code, out, _ = ask("rm", ids[0])
    assert code == 0
    assert listed(ask) == ids[:0:-1]
    back = out.split("`")[1]
    git(*back.split()[1:])
    assert listed(ask) == ids[::-1]
    assert ask("rm", ids[0], "--force")[0] == 0
    assert not (repo / run_folder(ids[0])).exists()
    assert not list((repo / ".mlctl/tmp").glob("removed-*"))


def test_a_kept_or_registered_run_is_not_removed(ids: list[str], ask: Ask, repo: Path) -> None:
    add_event(str(repo), ids[0], "keep")
    (repo / "registry/churn").mkdir(parents=True)
    (repo / "registry/churn/v1.yaml").write_text(f"run: {ids[1]}\n")
    for run_id, said in ((ids[0], "is kept"), (ids[1], "registry/churn/v1.yaml refers to")):
        code, _, err = ask("rm", ids[3], run_id, "--force")
        assert code == 2
        assert said in err
    assert listed(ask) == ids[::-1]
    add_event(str(repo), ids[0], "unkeep")
    assert ask("rm", ids[0], "--force")[0] == 0


def test_what_is_said_is_committed_where_records_are(
    ids: list[str], ask: Ask, repo: Path, git: Git
) -> None:
    (repo / "mlctl.yaml").write_text("records: {commit: auto}\n")
    git("add", "-A")
    git("commit", "-q", "-m", "runs")
    (repo / "train.py").write_text("print(2)\n")
    git("add", "train.py")
    data = told(ask, "tag", "last", "baseline")
    assert git("rev-parse", "HEAD") == data["commit"]
    assert git("show", "--name-only", "--format=", "HEAD").split() == data["written"]
    assert git("diff", "--cached", "--name-only") == "train.py"
    told(ask, "rm", ids[0])
    told(ask, "pack", "--before", "2027-01-01")
    assert git("status", "--porcelain") == "M  train.py"
    assert listed(ask) == ids[:0:-1]
    git("checkout", "-q", "HEAD~1", "--", "runs")
    assert listed(ask) == ids[:0:-1]


def test_with_records_on_their_branch_events_go_there(
    ids: list[str], ask: Ask, repo: Path, git: Git
) -> None:
    (repo / "mlctl.yaml").write_text("records: {commit: auto, store: branch}\n")
    git("add", "mlctl.yaml")
    git("commit", "-q", "-m", "settings")
    assert ask("commit")[0] == 0
    assert not (repo / "runs").exists()
    assert told(ask, "tag", ids[2], "baseline")["stored"] == git("rev-parse", "mlctl/runs")
    assert not (repo / "runs").exists()
    assert run_facts(str(repo), ids[2]).tags == ("baseline",)
    assert listed(ask, "-w", "tags = baseline") == [ids[2]]
    assert told(ask, "show", ids[2])["tags"] == ["baseline"]
    _, out, _ = ask("pack", "--before", "2027-01-01")
    assert out == "Packed 0 runs.\nRecords on the branch mlctl/runs stay as they are.\n"
    assert listed(ask) == ids[::-1]


def test_packing_says_what_it_did(ids: list[str], ask: Ask, repo: Path) -> None:
    assert ask("pack", "--older-than", "soon")[0] == 2
    assert ask("pack", "--before", "2026-11-23")[1] == "Packed 0 runs.\n"
    data = told(ask, "pack", "--before", "2027-01-01")
    assert sorted(data["runs"]) == ids
    assert [str(path.relative_to(repo)) for path in repo.glob("runs/*.jsonl")] == data["made"]
    assert listed(ask) == ids[::-1]
    code, _, err = ask("rm", ids[0])
    assert code == 2
    assert "is no folder of the work tree" in err


def test_damaged_records_are_told_on_stderr(ids: list[str], ask: Ask, repo: Path) -> None:
    (repo / run_folder(ids[1]) / "run.json").write_text("<<<<<<< HEAD\n")
    code, out, err = ask("ls")
    assert code == 0
    assert out.splitlines()[-1] == "3 runs"
    assert err.startswith(f"warning: {run_folder(ids[1])}/run.json:1: not a record")
    code, out, err = ask("ls", "--json")
    assert (code, err) == (0, "")
    assert [run_folder(ids[1]) in it["message"] for it in json.loads(out)["damaged"]] == [True]
    code, out, err = ask("show", ids[1])
    assert (code, out) == (2, "")
    assert "not a record" in err
