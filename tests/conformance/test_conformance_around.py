"""Stock DVC's other verbs on a repository whose pipeline only mlctl has run."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance.twins import changed_stages, dvc_status, run_dvc, run_mlctl

PIPELINE = """\
stages:
  prepare:
    cmd: mkdir -p parts/deep && cat data.txt > parts/a.txt && echo b > 'parts/deep/b é.txt'
    deps: [data.txt]
    outs: [parts]
  train:
    cmd:
    - cat parts/a.txt > model.txt
    - |-
      echo '{"loss": 0.25}' > metrics.json
    deps: [parts]
    params: [lr]
    outs: [model.txt]
    metrics: [metrics.json: {cache: false}]
  local:
    cmd: wc -c model.txt > local.txt
    deps: [model.txt]
    outs: [local.txt: {push: false}]
"""
OUTS = ("parts", "model.txt")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project committed to git, run by mlctl with several jobs, with a local remote."""
    root = tmp_path / "p"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    config = "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n"
    (root / ".dvc/config").write_text(config)
    (root / "data.txt").write_text("data\n")
    (root / "params.yaml").write_text("lr: 0.1\n")
    (root / "dvc.yaml").write_text(PIPELINE)
    git(root, "init", "-q")
    code, told = run_mlctl(root, "run", "-j4")
    assert code == 0, told
    git(root, "add", "-A")
    git(root, "commit", "-qm", "state")
    return root


def git(root: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=root, check=True)


def dvc(root: Path, *args: str) -> str:
    code, said = run_dvc(root, *args)
    assert code == 0, said
    return said


def asked(root: Path, *args: str) -> Any:
    said = dvc(root, *args)
    return json.loads(said[min(said.index(c) for c in "{[" if c in said) :])


def contents(root: Path) -> dict[str, bytes]:
    files = [f for out in OUTS for f in [root / out, *(root / out).rglob("*")] if f.is_file()]
    return {str(f.relative_to(root)): f.read_bytes() for f in files}


def objects(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.glob("files/md5/*/*")}


def test_push_and_pull(root):
    before, cached = contents(root), objects(root / ".dvc/cache")
    dvc(root, "push")
    # local.txt is not to be pushed; metrics.json is in the cache for the run-cache only
    assert len(cached - objects(root.parent / "store")) == 2
    shutil.rmtree(root / ".dvc/cache")
    for out in ("parts", "model.txt", "local.txt"):
        path = root / out
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    dvc(root, "pull", *OUTS)
    assert contents(root) == before
    code, told = run_mlctl(root, "run")
    assert code == 0, told
    assert dvc_status(root) == {}
    assert changed_stages(root) == set()


def test_push_of_the_run_cache(root):
    dvc(root, "push", "--run-cache")
    entries = {p.name for p in (root / ".dvc/cache/runs").glob("*/*/*")}
    assert len(entries) == 3
    assert entries == {p.name for p in (root.parent / "store/runs").glob("*/*/*")}


def test_gc_keeps_what_the_workspace_uses_and_no_more(root):
    used = objects(root / ".dvc/cache")
    (root / "data.txt").write_text("other\n")
    assert run_mlctl(root, "run")[0] == 0
    dvc(root, "gc", "-w", "-f")
    left = objects(root / ".dvc/cache")
    assert left
    assert not left >= used, "the objects of the first run are unused now"
    for out in OUTS:
        assert (root / out).exists()
    assert dvc_status(root) == {}
    assert changed_stages(root) == set()


def test_checkout_brings_back_what_was_removed_and_changed(root):
    before = contents(root)
    (root / "parts/a.txt").unlink()
    (root / "parts/more.txt").write_text("more")
    (root / "model.txt").unlink()
    (root / "model.txt").write_text("damaged")
    dvc(root, "checkout", "--force")
    assert contents(root) == before
    assert changed_stages(root) == set()


def test_data_status_is_clean(root):
    found = asked(root, "data", "status", "--json")
    assert {k: v for k, v in found.items() if k != "git"} == {}
    (root / "parts/a.txt").unlink()
    assert asked(root, "data", "status", "--json")["uncommitted"]


def test_metrics_show(root):
    found = asked(root, "metrics", "show", "--json")
    assert found[""]["data"]["metrics.json"]["data"] == {"loss": 0.25}


def test_exp_show(root):
    found = asked(root, "exp", "show", "--json")
    data = found[0]["data"]
    assert data["metrics"]["metrics.json"]["data"] == {"loss": 0.25}
    assert data["params"]["params.yaml"]["data"] == {"lr": 0.1}
    assert {path for path, out in data["outs"].items() if out["hash"]} >= {"parts", "model.txt"}
    assert data["deps"]["data.txt"]["hash"]
