"""The code that a run reads, on real repositories."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from mlctl.experiments.code import (
    PATCH_LIMIT,
    UNTRACKED_LIMIT,
    code_state,
    keep_snapshot,
    write_patch,
)
from mlctl.records.run import CodeState
from mlctl.records.secrets import is_secret


def taken(root: Path, **options: object) -> CodeState:
    state = code_state(str(root), **options)
    assert state is not None
    return state


def user_side(repo: Path, git) -> tuple[object, ...]:
    """All that is the user's: what git says, the index's bytes, the files' bytes and times."""
    files = [p for p in repo.rglob("*") if p.is_file() and ".git" not in p.parts]
    return (
        git("status", "--porcelain"),
        (repo / ".git/index").read_bytes(),
        [(p, p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(files)],
        git("stash", "list"),
    )


def test_a_clean_tree_is_its_commit(repo: Path, git) -> None:
    state = taken(repo)
    assert state == CodeState(
        git("rev-parse", "HEAD"), "main", git("rev-parse", "HEAD^{tree}"), False
    )


def test_a_snapshot_holds_the_work_tree_and_leaves_the_user_alone(repo: Path, git) -> None:
    (repo / "train.py").write_text("print('staged')\n")
    git("add", "train.py")
    (repo / "train.py").write_text("print('in the work tree')\n")
    (repo / "new file ü.py").write_text("x = 1\n")
    before = user_side(repo, git)
    state = taken(repo)
    assert user_side(repo, git) == before
    assert state.dirty
    assert git("show", f"{state.snapshot}:train.py") == "print('in the work tree')"
    assert git("show", f"{state.snapshot}:new file ü.py") == "x = 1"
    assert git("rev-parse", f"{state.snapshot}^{{tree}}") == state.tree
    assert git("rev-parse", f"{state.snapshot}^") == state.commit


def test_a_snapshot_has_what_was_deleted_renamed_and_made_a_folder(repo: Path, git) -> None:
    (repo / "old.py").write_text("old\n" * 20)
    git("add", "-A")
    git("commit", "-qm", "second")
    git("mv", "old.py", "renamed.py")
    (repo / "train.py").unlink()
    (repo / "train.py").mkdir()
    (repo / "train.py" / "inside.py").write_text("y\n")
    state = taken(repo)
    listed = git("ls-tree", "-r", "--name-only", state.snapshot).splitlines()
    assert listed == [".gitignore", "renamed.py", "train.py/inside.py"]


def test_one_tree_is_one_snapshot(repo: Path, git) -> None:
    (repo / "train.py").write_text("print(2)\n")
    assert taken(repo) == taken(repo)


def test_an_edit_in_the_second_of_a_commit_is_in_the_snapshot(repo: Path, git) -> None:
    file, index = repo / "train.py", repo / ".git/index"
    for number in range(100, 200):  # until all happens within one second of the clock
        file.write_text(f"print({number})\n")
        committed = int(file.stat().st_ctime)
        git("commit", "-qam", "at once")
        file.write_text(f"print({number + 100})\n")  # as long as before
        if committed == int(file.stat().st_ctime) == int(index.stat().st_mtime):
            break
    else:
        pytest.skip("NOT RUN: this machine is too slow to commit and edit within a second")
    wanted = file.read_text().strip()
    time.sleep(1.1)  # the copy of the index is younger than the edit
    assert git("show", f"{taken(repo).snapshot}:train.py") == wanted


def test_secrets_and_large_untracked_files_are_left_out_and_listed(repo: Path, git) -> None:
    (repo / "train.py").write_text("print(2)\n")
    (repo / ".env").write_text("TOKEN=1\n")
    (repo / "staged.pem").write_text("KEY\n")
    git("add", "staged.pem")
    (repo / "keys").mkdir()
    (repo / "keys/id_rsa").write_text("KEY\n")
    (repo / "large.bin").write_bytes(bytes(UNTRACKED_LIMIT + 1))
    (repo / "small.bin").write_bytes(bytes(UNTRACKED_LIMIT))
    state = taken(repo)
    listed = git("ls-tree", "-r", "--name-only", state.snapshot).splitlines()
    assert listed == [".gitignore", "small.bin", "train.py"]
    assert state.omitted == (".env", "keys/id_rsa", "large.bin", "staged.pem")


def test_a_tracked_secret_stays_as_it_was_committed(repo: Path, git) -> None:
    (repo / ".env").write_text("OLD=1\n")
    git("add", "-f", ".env")
    git("commit", "-qm", "oops")
    (repo / ".env").write_text("NEW=2\n")
    state = taken(repo)
    assert state.dirty
    assert state.snapshot is None  # nothing else has changed
    assert state.omitted == (".env",)


@pytest.mark.parametrize(
    "path",
    ["dvc.lock", "sub/dvc.lock", ".gitignore", "runs/20261123/X/run.json", "reports/a.md"],
)
def test_what_mlctl_writes_makes_no_tree_dirty(repo: Path, git, path: str) -> None:
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_text("by mlctl\n")
    assert not taken(repo).dirty


def test_a_pointer_that_changed_makes_the_tree_dirty(repo: Path, git) -> None:
    (repo / "data.csv.dvc").write_text("outs: []\n")
    assert taken(repo).dirty


def test_records_are_in_no_snapshot_and_the_lock_is(repo: Path, git) -> None:
    (repo / "runs/20261123").mkdir(parents=True)
    (repo / "runs/20261123/x").write_text("record\n")
    (repo / "dvc.lock").write_text("lock\n")
    (repo / "train.py").write_text("print(2)\n")
    listed = git("ls-tree", "-r", "--name-only", taken(repo).snapshot).splitlines()
    assert listed == [".gitignore", "dvc.lock", "train.py"]


def test_products_that_git_tracks_make_no_tree_dirty(repo: Path, git) -> None:
    (repo / "plots").mkdir()
    (repo / "plots/a.json").write_text("{}\n")
    (repo / "metrics.json").write_text("{}\n")
    assert taken(repo).dirty
    assert not taken(repo, products={"metrics.json", "plots"}).dirty


def test_the_dvc_root_may_be_a_folder_of_the_repository(repo: Path, git) -> None:
    sub = repo / "project"
    (sub / "runs").mkdir(parents=True)
    (sub / "runs/record").write_text("x\n")
    (sub / "metrics.json").write_text("{}\n")
    assert not taken(sub, products=["metrics.json"]).dirty
    (repo / "runs").mkdir()
    (repo / "runs/of-another-tool").write_text("x\n")
    state = taken(sub, products=["metrics.json"])
    assert state.dirty
    listed = git("ls-tree", "-r", "--name-only", state.snapshot).splitlines()
    assert listed == [".gitignore", "project/metrics.json", "runs/of-another-tool", "train.py"]


def test_without_git_there_is_no_state(tmp_path: Path) -> None:
    assert code_state(str(tmp_path)) is None


def test_a_repository_with_no_commit_yet(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "trunk"], cwd=tmp_path, check=True)
    (tmp_path / "a.py").write_text("a\n")
    state = taken(tmp_path)
    assert (state.commit, state.branch, state.dirty) == (None, "trunk", True)
    shown = subprocess.run(
        ["git", "show", f"{state.snapshot}:a.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.stdout == "a\n"


def test_a_detached_head_and_a_conflict_are_captured(repo: Path, git) -> None:
    git("checkout", "-qb", "other")
    (repo / "train.py").write_text("other\n")
    git("commit", "-qam", "other")
    git("checkout", "-q", "main")
    (repo / "train.py").write_text("main\n")
    git("commit", "-qam", "main")
    git("checkout", "-q", "--detach")
    subprocess.run(["git", "merge", "-q", "other"], cwd=repo, capture_output=True)
    before = user_side(repo, git)
    state = taken(repo)
    assert user_side(repo, git) == before
    assert state.branch is None
    assert "<<<<<<<" in git("show", f"{state.snapshot}:train.py")


def test_a_file_that_cannot_be_read_leaves_the_tree_dirty_without_a_snapshot(
    repo: Path, git
) -> None:
    os.mkfifo(repo / "pipe")  # git skips what is no file
    (repo / "broken").symlink_to("nowhere")
    state = taken(repo)
    assert state.snapshot is not None
    assert git("ls-tree", "-r", "--name-only", state.snapshot).splitlines() == [
        ".gitignore",
        "broken",
        "train.py",
    ]


def test_a_kept_snapshot_outlives_gc(repo: Path, git) -> None:
    (repo / "train.py").write_text("print(2)\n")
    state = taken(repo)
    keep_snapshot(str(repo), "01KAS0ME00RVN0000000000000", state.snapshot)
    git("gc", "-q", "--prune=now")
    assert git("show", "refs/mlctl/snapshots/01KAS0ME00RVN0000000000000:train.py") == "print(2)"


def test_a_patch_rebuilds_the_tree_with_all_its_bytes(repo: Path, git, tmp_path: Path) -> None:
    (repo / "train.py").write_bytes(b"print(2)\r\n\xff\xfe\n")
    (repo / "data.bin").write_bytes(bytes(range(256)))
    state = taken(repo)
    patch = tmp_path / "code.patch"
    write_patch(str(repo), state, str(patch))
    clone = tmp_path / "clone"
    git("clone", "-q", str(repo), str(clone))
    subprocess.run(["git", "apply", "--index", str(patch)], cwd=clone, check=True)
    tree = subprocess.run(["git", "write-tree"], cwd=clone, capture_output=True, text=True)
    assert tree.stdout.strip() == state.tree


def test_a_large_patch_is_not_kept(repo: Path, tmp_path: Path) -> None:
    (repo / "train.py").write_text("".join(f"{i}\n" for i in range(PATCH_LIMIT)))
    patch = tmp_path / "code.patch"
    write_patch(str(repo), taken(repo), str(patch))
    assert not patch.exists()


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "a/.env.local",
        "server.PEM",
        "id_rsa",
        "x.key",
        "gcp-credentials.json",
        ".aws/config",
        "secrets.yaml",
        "my-service-account.json",
    ],
)
def test_a_secret_is_known_by_its_name(path: str) -> None:
    assert is_secret(path)


@pytest.mark.parametrize(
    "path", [".env.example", "keys.py", "environment.yml", "id_rsa.pub", "secret_santa.py"]
)
def test_what_is_no_secret(path: str) -> None:
    assert not is_secret(path)
