"""docs/guide/data-gate.md does what it shows: this very tree, installed by the real pre-commit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlctl import plugins
from readme import ROOT

PAGE = (ROOT / "docs/guide/data-gate.md").read_text(encoding="utf-8")


def examples(name):
    return re.findall(rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)


def sh(command, cwd):
    return subprocess.run(command, shell=True, cwd=cwd, capture_output=True, text=True)


def ok(command, cwd):
    done = sh(command, cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def published(folder):
    """This tree, committed and tagged, as pre-commit clones it."""
    folder.mkdir()
    listed = ok("git ls-files -z --cached --others --exclude-standard", ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    ok("git init -q && git add -A && git commit -qm all && git tag v0.1.0", folder)


def project(folder):
    folder.mkdir()
    ok("git init -q && dvc init -q && git commit -qm begin", folder)
    rows = [f"{i},{18 + i % 60},{'paid' if i % 3 else 'free'}\n" for i in range(1, 101)]
    (folder / "data").mkdir()
    (folder / "data" / "customers.csv").write_text("id,age,plan\n" + "".join(rows))


def session(text, folder):
    for step in text.removeprefix("$ ").split("\n$ "):
        command, *shown = step.strip("\n").split("\n")
        done = sh(command, folder)
        said = done.stdout + done.stderr
        assert bool(done.returncode) is command.endswith("# refused"), f"{command}\n{said}"
        lines = [line.rstrip() for line in said.splitlines()]
        shown = [line.rstrip() for line in shown]
        assert [line for line in lines if line in shown] == shown, said


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_guide_with_the_real_pre_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("GITHUB_STEP_SUMMARY", "PRE_COMMIT_HOME"):
        monkeypatch.delenv(name, raising=False)
    published(tmp_path / "mlctl")
    shop = tmp_path / "shop"
    project(shop)
    first, second, refused, mended = examples("session")
    session(first, shop)
    for name in ("contracts/customers.yaml", ".pre-commit-config.yaml"):
        (shop / name).write_text(examples(name)[0])
    ok("git clean -qfd reports", shop)
    session(second, shop)
    assert ok("git status --short", shop) == ""
    before = ok("git rev-parse HEAD", shop)
    session(refused, shop)
    assert ok("git rev-parse HEAD", shop) == before
    assert ok("git status --short", shop) == "M  data/customers.csv.dvc\n"
    session(mended, shop)
    assert ok("git status --short", shop) == ""
    a_large_file_is_refused(shop)
    a_push_without_the_data_is_refused(shop)


def a_large_file_is_refused(shop):
    (shop / "model.bin").write_bytes(b"x" * 600_000)
    done = sh("git add -A && git commit -m model", shop)
    assert done.returncode == 1
    assert "model.bin:1: large-file" in done.stdout + done.stderr
    ok("git rm -q --cached model.bin && rm model.bin", shop)


def a_push_without_the_data_is_refused(shop):
    ok("git init -q --bare ../git.git && git remote add origin ../git.git", shop)
    ok("dvc remote add -q -d storage ../storage && git commit -qam remote", shop)
    ok("pre-commit install -t pre-push", shop)
    done = sh("git push -q origin main", shop)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "data/customers.csv.dvc:2: not-pushed" in said
    ok("dvc push -q && git push -q origin main", shop)


def test_every_form_is_named():
    table = PAGE[PAGE.index("| form |") :]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(named) == plugins.names("mlctl.data.forms")
