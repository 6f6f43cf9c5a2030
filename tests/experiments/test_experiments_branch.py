"""Records on their own branch: nothing of the user's is touched, and no record is ever lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlctl.experiments import branch_store
from mlctl.experiments.commit import commit_record
from mlctl.records.run import run_folder
from mlctl.records.ulid import new_ulid

START = 1_795_475_000.0


def write_records(root: Path, count: int, began: float = START) -> list[str]:
    """Records on disk, as after so many runs; their keys."""
    keys = [run_folder(new_ulid(began + at, os.urandom(10))) for at in range(count)]
    for key in keys:
        (root / key / "plots").mkdir(parents=True)
        (root / key / "run.json").write_text(f'{{"id": "{key[-26:]}"}}\n')
        (root / key / "stages.jsonl").write_text(f"{key}\n" * 20)
        (root / key / "plots" / 'odd "name\\.svg').write_bytes(b"\x00\n\xff")
    return keys


def on_branch(git, prefix: str = "") -> list[str]:
    return git("ls-tree", "-r", "-z", "--name-only", "mlctl/runs", f"{prefix}runs").split("\0")[:-1]


def test_a_record_goes_to_the_branch_and_nothing_else_is_touched(repo: Path, git) -> None:
    (repo / "train.py").write_text("staged\n")
    git("add", "train.py")
    (repo / "train.py").write_text("not staged\n")
    (key,) = write_records(repo, 1)
    before = (git("rev-parse", "HEAD"), git("ls-files", "-s"))
    done = commit_record(str(repo), [key, "runs/_env"], "record", branch=True)
    assert (done.commit, done.reason) == (None, None)
    assert done.stored == git("rev-parse", "mlctl/runs")
    assert (git("rev-parse", "HEAD"), git("ls-files", "-s")) == before
    assert git("status", "--porcelain") == "MM train.py"
    assert not (repo / "runs").exists()
    names = ['plots/odd "name\\.svg', "run.json", "stages.jsonl"]
    assert on_branch(git) == [f"{key}/{name}" for name in names]
    assert git("log", "--format=%an %s", "mlctl/runs") == "mlctl record"
    assert subprocess.run(["git", "merge-base", "HEAD", "mlctl/runs"], cwd=repo).returncode == 1
    shown = subprocess.run(
        ["git", "show", f"mlctl/runs:{key}/{names[0]}"], cwd=repo, check=True, capture_output=True
    )
    assert shown.stdout == b"\x00\n\xff"


def test_what_the_run_changed_besides_is_committed_on_the_users_branch(repo: Path, git) -> None:
    (key,) = write_records(repo, 1)
    (repo / "dvc.lock").write_text("schema: '2.0'\n")
    done = commit_record(str(repo), [key, "dvc.lock"], "record", branch=True)
    assert done.commit == git("rev-parse", "HEAD")
    assert git("show", "--name-only", "--format=", "HEAD") == "dvc.lock"
    assert len(on_branch(git)) == 3


def test_later_records_are_added(repo: Path, git) -> None:
    first, second = write_records(repo, 1), write_records(repo, 2, START + 90_000)
    commit_record(str(repo), first, "first", branch=True)
    commit_record(str(repo), ["runs"], "second", branch=True)
    stored = {os.path.dirname(name) for name in on_branch(git) if name.endswith("run.json")}
    assert stored == {*first, *second}
    assert git("rev-list", "--count", "mlctl/runs") == "2"


def test_records_that_the_users_branch_has_stay_on_it(repo: Path, git) -> None:
    old, new = write_records(repo, 2)
    commit_record(str(repo), [old], "on main")
    event = f"{old}/events/01KAS0ME00RVN0000000000000.json"
    (repo / event).parent.mkdir()
    (repo / event).write_text("{}\n")
    done = commit_record(str(repo), [event, new], "both", branch=True)
    assert done.commit is not None
    assert git("show", "--name-only", "--format=", "HEAD") == event
    assert {name.rsplit("/", 1)[0] for name in on_branch(git) if "plots" not in name} == {new}
    assert git("status", "--porcelain") == ""


def test_a_project_in_a_folder_keeps_its_place_on_the_branch(repo: Path, git) -> None:
    sub = repo / "sub"
    (key,) = write_records(sub, 1)
    assert commit_record(str(sub), [key], "record", branch=True).stored
    assert f"sub/{key}/run.json" in on_branch(git, "sub/")


@pytest.mark.parametrize("where", ["detached", "merging", "no commit yet", "worktree"])
def test_wherever_head_is_the_branch_can_be_written(
    tmp_path: Path, repo: Path, git, where: str
) -> None:
    root = repo
    if where == "detached":
        git("checkout", "-q", "--detach")
    elif where == "merging":
        (repo / ".git" / "MERGE_HEAD").write_text(git("rev-parse", "HEAD") + "\n")
    elif where == "no commit yet":
        root = tmp_path / "fresh"
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    else:
        root = tmp_path / "linked"
        git("worktree", "add", "-q", str(root))
    (key,) = write_records(root, 1)
    (root / "dvc.lock").write_text("x\n")
    done = commit_record(str(root), [key, "dvc.lock"], "record", branch=True)
    assert done.stored
    assert (done.commit is None) == (where != "worktree")
    assert not (root / key).exists()


def test_outside_of_a_repository_and_in_a_hook_records_stay(
    tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    (key,) = write_records(tmp_path / "plain", 1)
    done = commit_record(str(tmp_path / "plain"), [key], "m", branch=True)
    assert (done.stored, done.reason) == (None, "not a git repository")
    assert (tmp_path / "plain" / key / "run.json").exists()
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    (key,) = write_records(repo, 1)
    assert commit_record(str(repo), [key], "m", branch=True).reason == "inside a git hook"
    assert (repo / key / "run.json").exists()


def test_a_refusal_of_git_leaves_the_record_where_it_is(repo: Path, git) -> None:
    (key,) = write_records(repo, 1)
    (repo / ".git" / "refs" / "heads" / "mlctl").write_text("a file where a folder must be\n")
    done = commit_record(str(repo), [key], "m", branch=True)
    assert done.stored is None
    assert "update-ref" in done.reason
    assert (repo / key / "stages.jsonl").exists()


def test_processes_that_store_at_once_lose_no_record(repo: Path, git) -> None:
    keys = write_records(repo, 12)
    program = (
        "import sys; from mlctl.experiments.branch_store import store_records\n"
        "for key in sys.argv[2:]: store_records(sys.argv[1], [key], 'm')"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(repo), *keys[at::4]])
        for at in range(4)
    ]
    assert [process.wait(timeout=120) for process in started] == [0] * 4
    stored = [os.path.dirname(name) for name in on_branch(git) if name.endswith("run.json")]
    assert sorted(stored) == sorted(keys)
    assert git("rev-list", "--count", "mlctl/runs") == "12"
    assert not (repo / "runs").exists()


@pytest.mark.parametrize("branch", [False, True])
def test_a_thousand_records_are_one_commit_and_one_pack(repo: Path, git, branch: bool) -> None:
    write_records(repo, 1000)
    (repo / "train.py").write_text("staged\n")
    git("add", "train.py")
    before = git("diff", "--cached")
    done = commit_record(str(repo), ["runs"], "the night's", branch=branch)
    assert done.reason is None
    commit = done.stored if branch else done.commit
    assert len(git("ls-tree", "-r", "--name-only", commit, "runs").splitlines()) == 3000
    assert git("diff", "--cached") == before
    loose = int(git("count-objects").split()[0])
    assert loose < 30
    assert git("for-each-ref", "refs/mlctl") == ""
    if not branch:
        assert git("status", "--porcelain") == "M  train.py"


def test_two_branches_of_many_runs_merge_without_a_conflict(repo: Path, git) -> None:
    git("checkout", "-qb", "other")
    write_records(repo, 150)
    assert commit_record(str(repo), ["runs"], "other").commit
    git("checkout", "-q", "main")
    write_records(repo, 150, START + 1)
    assert commit_record(str(repo), ["runs"], "main").commit
    git("merge", "-q", "--no-edit", "other")
    assert len(git("ls-files", "runs").splitlines()) == 900


def test_the_file_names_that_a_record_has_are_known(repo: Path) -> None:
    assert branch_store.record_of("runs/20261123/01A/events/x.json") == "runs/20261123/01A"
    assert branch_store.record_of("runs/20261123/01A/run.json") == "runs/20261123/01A"
    assert branch_store.record_of("runs/_env/abc.txt") == "runs/_env/abc.txt"
    assert branch_store.record_of("runs/202611.jsonl") == "runs/202611.jsonl"


def test_records_beside_changed_ones_and_a_refused_commit(repo: Path, git) -> None:
    first = write_records(repo, 1)
    assert commit_record(str(repo), ["runs"], "first").commit
    write_records(repo, 60, START + 90_000)
    hook = repo / ".git/hooks/prepare-commit-msg"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = (git("status", "--porcelain"), git("ls-files", "-s"))
    assert commit_record(str(repo), ["runs"], "refused").commit is None
    assert (git("status", "--porcelain"), git("ls-files", "-s")) == before
    hook.unlink()
    (repo / first[0] / "notes.md").write_text("mine\n")
    (repo / first[0] / "stages.jsonl").unlink()
    assert commit_record(str(repo), ["runs"], "all").commit
    assert git("status", "--porcelain") == ""
    assert f"{first[0]}/stages.jsonl" not in git("ls-files")
