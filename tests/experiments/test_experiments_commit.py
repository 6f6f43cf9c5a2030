"""Committing a record beside whatever the user has at hand."""

import subprocess
from pathlib import Path

import pytest

from mlctl.experiments.commit import commit_record

RECORD = "runs/20261123/01KAS0ME00RVN0000000000000"


@pytest.fixture
def written(repo: Path) -> list[str]:
    """A record and a lock on disk, as after a run; the paths to commit."""
    folder = repo / RECORD
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}\n")
    (folder / "stages.jsonl").write_text("")
    (repo / "dvc.lock").write_text("schema: '2.0'\n")
    return [RECORD, "dvc.lock"]


def in_commit(git, commit: str = "HEAD") -> list[str]:
    return git("show", "--name-only", "--format=", commit).splitlines()


def test_only_the_record_is_committed(repo: Path, git, written: list[str]) -> None:
    (repo / "unrelated.py").write_text("x\n")
    (repo / "train.py").write_text("changed\n")
    done = commit_record(str(repo), written, "mlctl: run of train")
    assert done.reason is None
    assert done.commit == git("rev-parse", "HEAD")
    assert in_commit(git) == ["dvc.lock", f"{RECORD}/run.json", f"{RECORD}/stages.jsonl"]
    assert git("status", "--porcelain").splitlines() == ["M train.py", "?? unrelated.py"]
    assert git("log", "-1", "--format=%s") == "mlctl: run of train"


def test_the_users_next_commit_keeps_the_record_and_what_they_staged(
    repo: Path, git, written: list[str]
) -> None:
    (repo / "train.py").write_text("staged\n")
    git("add", "train.py")
    (repo / "train.py").write_text("not staged\n")
    (repo / "added.py").write_text("x\n")
    git("add", "added.py")
    git("rm", "-q", "--cached", ".gitignore")
    before = git("diff", "--cached")
    assert commit_record(str(repo), written, "record").commit
    assert git("diff", "--cached") == before
    git("commit", "-qm", "the user's own")
    assert in_commit(git) == [".gitignore", "added.py", "train.py"]
    assert git("show", "HEAD:train.py") == "staged"
    assert f"{RECORD}/run.json" in git("ls-tree", "-r", "--name-only", "HEAD").splitlines()


def test_changed_and_deleted_pointers_go_along(repo: Path, git, written: list[str]) -> None:
    (repo / "gone.dvc").write_text("x\n")
    (repo / "dvc.lock").write_text("old\n")
    git("add", "gone.dvc", "dvc.lock")
    git("commit", "-qm", "second")
    (repo / "gone.dvc").unlink()
    (repo / "dvc.lock").write_text("new\n")
    assert commit_record(str(repo), [*written, "gone.dvc", "never-was.dvc"], "record").commit
    assert in_commit(git)[:2] == ["dvc.lock", "gone.dvc"]
    assert git("status", "--porcelain") == ""


def test_a_project_in_a_folder_of_the_repository(repo: Path, git) -> None:
    sub = repo / "sub"
    (sub / RECORD).mkdir(parents=True)
    (sub / RECORD / "run.json").write_text("{}\n")
    (sub / "x[1].dvc").write_text("odd name\n")
    assert commit_record(str(sub), [RECORD, "x[1].dvc"], "record").commit
    assert in_commit(git) == [f"sub/{RECORD}/run.json", "sub/x[1].dvc"]


def test_a_general_ignore_pattern_does_not_tear_a_record(
    repo: Path, git, written: list[str]
) -> None:
    (repo / ".git/info/exclude").write_text("*.json\n")
    assert commit_record(str(repo), written, "record").commit
    assert f"{RECORD}/run.json" in in_commit(git)


def test_an_ignored_runs_folder_is_respected(repo: Path, git, written: list[str]) -> None:
    (repo / ".git/info/exclude").write_text("/runs/\n")
    done = commit_record(str(repo), written, "record")
    assert (done.commit, done.reason) == (None, "git ignores runs")
    assert git("log", "--format=%s") == "first"


def test_nothing_changed_is_no_commit(repo: Path) -> None:
    assert commit_record(str(repo), ["train.py"], "record").reason == "nothing has changed"
    assert commit_record(str(repo), [], "record").reason == "nothing has changed"


def start_merge(repo: Path, git) -> None:
    start_conflict(repo, git, "merge")


def start_rebase(repo: Path, git) -> None:
    start_conflict(repo, git, "rebase")


def start_cherry_pick(repo: Path, git) -> None:
    start_conflict(repo, git, "cherry-pick")


def start_conflict(repo: Path, git, verb: str) -> None:
    git("checkout", "-qb", "other")
    (repo / "train.py").write_text("other\n")
    git("commit", "-qam", "other")
    git("checkout", "-q", "main")
    (repo / "train.py").write_text("main\n")
    git("commit", "-qam", "main")
    assert subprocess.run(["git", verb, "other"], cwd=repo, capture_output=True).returncode == 1


def detach(repo: Path, git) -> None:
    git("checkout", "-q", "--detach")


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (start_merge, "a merge is under way"),
        (start_rebase, "a rebase is under way"),
        (start_cherry_pick, "a cherry-pick is under way"),
        (detach, "HEAD is detached"),
    ],
)
def test_never_in_the_middle_of_something(
    repo: Path, git, written: list[str], prepare, reason: str
) -> None:
    prepare(repo, git)
    before = (git("rev-parse", "HEAD"), git("status", "--porcelain"))
    assert commit_record(str(repo), written, "record").reason == reason
    assert (git("rev-parse", "HEAD"), git("status", "--porcelain")) == before


def test_never_inside_a_hook(
    repo: Path, git, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert commit_record(str(repo), written, "record").reason == "inside a git hook"


def test_without_a_repository_and_before_the_first_commit(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("x\n")
    assert commit_record(str(tmp_path), ["dvc.lock"], "m").reason == "not a git repository"
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = commit_record(str(tmp_path), ["dvc.lock"], "m")
    assert done.reason == "the repository has no commit yet"


def test_a_failure_leaves_the_index_as_it_was(repo: Path, git, written: list[str]) -> None:
    (repo / "train.py").write_text("staged\n")
    git("add", "train.py")
    hook = repo / ".git/hooks/prepare-commit-msg"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    before = (git("status", "--porcelain"), git("ls-files", "-s"))
    done = commit_record(str(repo), written, "record")
    assert (done.commit, done.reason) == (None, "git commit: no")
    assert (git("status", "--porcelain"), git("ls-files", "-s")) == before


def test_a_locked_index_is_said_and_nothing_is_changed(repo: Path, git, written: list[str]) -> None:
    (repo / ".git/index.lock").write_text("")
    done = commit_record(str(repo), written, "record")
    assert done.commit is None
    assert done.reason.startswith("git add: ")
    (repo / ".git/index.lock").unlink()
    assert git("log", "--format=%s") == "first"
