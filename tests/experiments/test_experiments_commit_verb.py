"""`mlctl run` and `mlctl exp commit` put records where the settings say, wherever HEAD is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kept_builders import git, make_project, make_run, put

from conformance.twins import run_mlctl
from e2e.sandbox import Sandbox, stamp


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    """A project whose records go to their own branch."""
    box = Sandbox(tmp_path / "p")
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        box.git("config", name, value)
    box.stages({"one": stamp("one")})
    box.write("mlctl.yaml", "records: {commit: auto, store: branch}\n")
    box.write(".gitignore", "/times.txt\n/.mlctl\n")
    box.commit()
    return box


def test_a_run_goes_to_the_branch_and_its_lock_to_the_users(box: Sandbox) -> None:
    head = box.git("rev-parse", "HEAD")
    done = box.mlctl("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (box.root / "runs").exists()
    assert box.git("log", "-1", "--format=%P").strip() == head.strip()
    assert "dvc.lock" in box.git("show", "--name-only", "--format=", "HEAD").split()
    listed = box.git("ls-tree", "-r", "--name-only", "mlctl/runs").split()
    assert {os.path.basename(name) for name in listed} >= {"run.json", "stages.jsonl"}
    assert any(name.startswith("runs/_env/") for name in listed)
    assert box.git("status", "--porcelain") == ""
    found = box.json("exp", "ls")
    assert found["total"] == 1
    assert box.json("exp", "show", "last")["id"] == found["runs"][0]["id"]
    box.run("run", "--force")
    assert box.json("exp", "ls")["total"] == 2
    assert box.json("exp", "fsck")["sound"]


def test_on_a_detached_head_the_record_is_stored_and_the_lock_is_said_to_be_left(
    box: Sandbox,
) -> None:
    box.git("checkout", "-q", "--detach")
    done = box.mlctl("run")
    assert done.returncode == 0
    assert "what the run changed is not committed: HEAD is detached" in done.stdout + done.stderr
    assert "run.json" in box.git("ls-tree", "-r", "--name-only", "mlctl/runs")
    assert box.git("status", "--porcelain").split() == ["M", ".gitignore", "??", "dvc.lock"]


def test_exp_commit_takes_all_records_and_nothing_else(repo: Path) -> None:
    make_project(repo)
    runs = [make_run(repo, {"m": put(repo, "m")}) for _ in range(3)]
    (repo / "train.py").write_text("staged\n")
    git(repo, "add", "train.py")
    code, said = run_mlctl(repo, "exp", "commit", "-m", "The night's")
    assert code == 0
    assert "committed" in said
    shown = git(repo, "show", "--name-only", "--format=%s", "HEAD")
    assert shown.startswith("The night's\n")
    assert "train.py" not in shown
    assert all(run_id in shown for run_id in runs)
    assert git(repo, "status", "--porcelain") == "M  train.py"
    assert "All records are committed." in run_mlctl(repo, "exp", "commit")[1]


@pytest.mark.parametrize("where", ["no commit yet", "detached", "no repository"])
def test_where_records_cannot_be_committed_it_says_why(
    tmp_path: Path, repo: Path, where: str
) -> None:
    root = repo
    if where == "detached":
        git(repo, "checkout", "-q", "--detach")
    else:
        root = tmp_path / "other"
        root.mkdir()
        if where == "no commit yet":
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    make_run(root, {})
    code, said = run_mlctl(root, "exp", "commit", "--json")
    answer = json.loads(said)
    assert (code, answer["commit"], answer["stored"]) == (1, None, None)
    reasons = {
        "no commit yet": "the repository has no commit yet",
        "detached": "HEAD is detached",
        "no repository": "not a git repository",
    }
    assert answer["reason"] == reasons[where]
    assert run_mlctl(root, "exp", "fsck")[0] == 0


def test_in_a_submodule_and_a_linked_work_tree(repo: Path, tmp_path: Path) -> None:
    make_project(repo)
    outer = tmp_path / "outer"
    subprocess.run(["git", "init", "-q", str(outer)], check=True)
    protocol = ("-c", "protocol.file.allow=always")
    git(outer, *protocol, "submodule", "--quiet", "add", str(repo), "inner")
    linked = tmp_path / "linked"
    git(repo, "worktree", "add", "-q", str(linked), "-b", "linked")
    for root in (outer / "inner", linked):
        git(root, "config", "user.name", "Ada")
        git(root, "config", "user.email", "ada@example.org")
        run_id = make_run(root, {})
        (root / "mlctl.yaml").write_text("records: {store: branch}\n")
        assert run_mlctl(root, "exp", "commit")[0] == 0
        assert run_id in git(root, "ls-tree", "-r", "--name-only", "mlctl/runs")
        assert json.loads(run_mlctl(root, "exp", "ls", "--json")[1])["total"] == 1
        assert run_mlctl(root, "exp", "keep", "last")[0] == 0
        assert run_mlctl(root, "exp", "fsck")[0] == 0
        assert run_mlctl(root, "exp", "gc")[0] == 0
    assert "mlctl/runs" in git(
        repo, "branch", "--list", "mlctl/*"
    )  # the linked tree's is the repo's


def test_a_read_only_checkout_is_looked_at_and_never_written(repo: Path) -> None:
    as_user: list[str] = []
    if not os.geteuid():
        if shutil.which("setpriv") is None:
            pytest.skip("NOT RUN: root may write everywhere, and there is no setpriv")
        as_user = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    make_project(repo)
    make_run(repo, {})
    subprocess.run(["chmod", "-R", "a-w", "."], cwd=repo, check=True)

    def mlctl(*args: str) -> tuple[int, str]:
        command = [*as_user, sys.executable, "-m", "mlctl", "exp", *args]
        done = subprocess.run(command, cwd=repo, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    try:
        assert mlctl("ls")[0] == 0
        assert mlctl("fsck")[0] == 0
        assert mlctl("gc")[0] == 0
        code, said = mlctl("commit")
        assert (code, "Not committed" in said) == (1, True)
        code, said = mlctl("keep", "last")
        assert (code, "Traceback" in said) == (3, False)
    finally:
        subprocess.run(["chmod", "-R", "u+w", "."], cwd=repo, check=True)
    assert git(repo, "for-each-ref", "refs/heads/mlctl") == ""
    assert not list(repo.glob("runs/*/*/events"))
