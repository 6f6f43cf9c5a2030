"""`metrics`, `params` and `plots` in one real repository, with DVC's own answers beside ours."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlctl.cli.main import run

PIPELINE = """
stages:
  train:
    cmd: cp src.json m.json; mkdir -p d; cp src.json d/x.json; cp loss.json p.json
    deps: [src.json, loss.json]
    params: [lr, train.depth, {other.toml: }]
    outs: [d]
    metrics: [m.json]
    plots: [p.json: {x: epoch, y: loss}]
metrics: [d/x.json, extra.yaml]
params: [cfg/c.json, "${cfg}"]
vars: [vars/more.yaml]
plots:
  - curve: {x: epoch, y: {p.json: loss}, title: The curve}
  - pictures
"""


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def shell(root: Path, *argv: str) -> str:
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
           "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}  # fmt: skip
    return subprocess.run(
        argv, cwd=root, env=env, check=True, capture_output=True, text=True
    ).stdout


def losses(start: float) -> str:
    return json.dumps([{"epoch": i, "loss": start / (i + 1)} for i in range(5)])


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two states: HEAD, and a workspace where m.json is only in the cache."""
    top = tmp_path_factory.mktemp("outputs")
    shell(top, "git", "init", "-q", "-b", "main")
    root = top / "inner"
    root.mkdir()
    shell(root, "dvc", "init", "-q", "--subdir")
    write(root, "dvc.yaml", PIPELINE)
    write(root, "vars/more.yaml", "cfg: cfg/d.yaml\n")
    write(root, "src.json", '{"auc": 0.9, "n": {"x": 1, "l": [1], "b": true, "z": 0}, "w": "t"}')
    write(root, "loss.json", losses(1.0))
    write(root, "extra.yaml", "3.5")
    write(root, "params.yaml", "lr: 0.1\ntrain: {depth: 3, w: 4}\nl: [1, 2]\n")
    write(root, "other.toml", "k = 1\n[t]\nz = 2\n")
    write(root, "cfg/c.json", '{"c": [1]}')
    write(root, "cfg/d.yaml", "d: x\n")
    write(root, "pictures/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    shell(root, "dvc", "repro", "-q")
    shell(root, "git", "add", "-A")
    shell(root, "git", "commit", "-qm", "one")
    write(root, "src.json", '{"auc": 0.8, "n": {"x": 1, "l": [1], "b": false, "z": 2}, "new": 1}')
    write(root, "loss.json", losses(2.0))
    write(root, "extra.yaml", "4")
    write(root, "params.yaml", "lr: 0.2\ntrain: {depth: 3, w: 4}\nl: [1, 2, 3]\nadded: true\n")
    write(root, "cfg/d.yaml", "d: y\n")
    shell(root, "dvc", "repro", "-q")
    (root / "m.json").unlink()
    return root


@pytest.fixture
def here(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(repository)
    return repository


def ours(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    assert run([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def as_dvc(data: Any) -> dict[str, dict[str, Any]]:
    """Our changes in the shape of `dvc … diff --json`."""
    result: dict[str, dict[str, Any]] = {}
    for change in data["changes"]:
        body = {"old": change["old"], "new": change["new"]}
        if change["diff"] is not None:
            body["diff"] = change["diff"]
        result.setdefault(change["path"], {})[change["name"]] = body
    return result


def without_bools(theirs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """DVC subtracts a no from a yes; we do not."""
    for changes in theirs.values():
        for body in changes.values():
            if isinstance(body["old"], bool) or isinstance(body["new"], bool):
                body.pop("diff", None)
    return theirs


def test_metrics_show_is_dvcs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = json.loads(shell(here, "dvc", "metrics", "show", "--json"))[""]["data"]
    assert ours(capsys, "metrics", "show")["revisions"] == {"workspace": theirs}


@pytest.mark.parametrize("options", [[], ["--all"]])
def test_metrics_diff_is_dvcs(
    here: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    theirs = json.loads(shell(here, "dvc", "metrics", "diff", "--json", *options))
    assert as_dvc(ours(capsys, "metrics", "diff", *options)) == without_bools(theirs)


@pytest.mark.parametrize("options", [[], ["--all"], ["--deps", "--all"]])
def test_params_diff_is_dvcs(
    here: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    theirs = json.loads(shell(here, "dvc", "params", "diff", "--json", *options))
    theirs.pop("vars/more.yaml", None)  # what templating alone reads is no parameter to us
    assert as_dvc(ours(capsys, "params", "diff", *options)) == without_bools(theirs)


def test_plots_are_dvcs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = json.loads(shell(here, "dvc", "plots", "diff", "HEAD", "--json", "--split"))["data"]
    mine = {plot["id"]: plot for plot in ours(capsys, "plots", "diff")["plots"]}
    assert mine.keys() == theirs.keys()
    for name in ("curve", "p.json"):
        points: dict[str, list[float]] = {}
        for point in theirs[name][0]["anchor_definitions"]["<DVC_METRIC_DATA>"]:
            points.setdefault(point["rev"], []).append(point["loss"])
        assert {curve["rev"]: curve["y"] for curve in mine[name]["curves"]} == points
    assert [image["rev"] for image in mine["pictures/a.svg"]["images"]] == ["HEAD", "workspace"]
    assert mine["curve"]["title"] == "The curve"


def test_tables(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "diff", "--target", "m.json"]) == 0
    assert capsys.readouterr().out == (
        "Path    Metric  HEAD  workspace  Change\n"
        "m.json  auc      0.9        0.8    -0.1\n"
        "m.json  n.b     true      false       -\n"
        "m.json  n.z        0          2      +2\n"
        "m.json  new        -          1       -\n"
        "m.json  w          t          -       -\n"
    )
    assert run(["params", "diff", "--md", "--deps"]) == 0
    assert capsys.readouterr().out == (
        "| Path | Param | HEAD | workspace |\n| --- | --- | ---: | ---: |\n"
        "| params.yaml | lr | 0.1 | 0.2 |\n"
    )
    assert run(["params", "diff", "HEAD", "HEAD"]) == 0
    assert capsys.readouterr().out == "No difference between HEAD and HEAD.\n"


def test_paths_and_targets_are_seen_from_the_current_folder(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here / "cfg")
    assert run(["params", "show", "d.yaml", "../other.toml"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        ["d.yaml", "d", "y"],
        ["../other.toml", "k", "1"],
        ["../other.toml", "t.z", "2"],
    ]


def test_revisions(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = ours(capsys, "metrics", "show", "--all-branches", "extra.yaml")["revisions"]
    assert {rev: files["extra.yaml"]["data"] for rev, files in shown.items()} == {
        "workspace": 4,
        "main": 3.5,
    }
    assert run(["metrics", "diff", "nothing"]) == 2
    assert "git knows no revision 'nothing'" in capsys.readouterr().err
    assert run(["metrics", "diff", "--", "--help"]) == 2
    assert run(["metrics", "diff", "HEAD:dvc.yaml"]) == 2


def test_check_ends_in_1_where_something_differs(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["metrics", "diff", "--check"]) == 1
    assert run(["metrics", "diff", "HEAD", "HEAD", "--check"]) == 0
    assert run(["plots", "diff", "--check", "--json"]) == 1


def test_what_is_missing_is_a_warning_or_an_error_in_json(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["metrics", "show", "nothing.json"]) == 0
    assert "warning: nothing.json is not in workspace" in capsys.readouterr().err
    files = ours(capsys, "metrics", "show", "nothing.json")["revisions"]["workspace"]
    assert files == {"nothing.json": {"error": "nothing.json is not in workspace"}}


def test_the_page_holds_both_revisions(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plots", "diff"]) == 0
    assert "curve" in capsys.readouterr().out
    page = (here / ".mlctl/plots/index.html").read_text()
    assert "The curve" in page
    assert len(re.findall("<svg", page)) == 2
    assert run(["plots", "show", "p.json", "-o", str(here.parent / "one.html")]) == 0
    assert "<svg" in (here.parent / "one.html").read_text()
    assert run(["plots", "show", "nothing.csv"]) == 2
    assert shell(here, "git", "status", "--porcelain", "--", ".mlctl") == ""


def test_before_the_first_commit_everything_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell(tmp_path, "git", "init", "-q")
    (tmp_path / ".dvc").mkdir()
    write(tmp_path, "params.yaml", "a: 1\n")
    write(tmp_path, "dvc.yaml", "stages: {}\n")
    monkeypatch.chdir(tmp_path)
    assert as_dvc(ours(capsys, "params", "diff")) == {"params.yaml": {"a": {"old": None, "new": 1}}}
