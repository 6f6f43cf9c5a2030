"""Runs go from one clone to another: records, code, pins and data, and what is missing is named."""

import dataclasses
from pathlib import Path

import pytest
from kept_builders import (
    START,
    cached,
    clone,
    git,
    make_project,
    make_run,
    put,
    put_folder,
    record_of,
)

from conformance.twins import run_mlctl
from mlctl.adapters.git_objects import changed, make_commit, resolve
from mlctl.data.versions.events import quiet
from mlctl.errors import InvalidInput
from mlctl.experiments.code import code_state, keep_snapshot
from mlctl.experiments.commit import commit_record
from mlctl.experiments.objects import run_objects
from mlctl.experiments.pins import pin, pinned_runs, unpin
from mlctl.experiments.query import find_run, list_runs
from mlctl.experiments.remote_refs import git_remote, merge_records, pull_refs, push_refs
from mlctl.experiments.transfer import Missing, pull_runs, push_runs
from mlctl.records.refs import RUNS, SNAPSHOTS
from mlctl.records.run import head_text

NOTHING = {"git_name": None, "remote": None, "jobs": 2, "emit": quiet}


@pytest.fixture
def clones(repo: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two clones of one repository, with one remote of DVC."""
    make_project(repo, remote=tmp_path / "remote")
    git(tmp_path, "clone", "-q", "--bare", str(repo), "origin.git")
    return clone(tmp_path / "origin.git", tmp_path / "one"), clone(
        tmp_path / "origin.git", tmp_path / "two"
    )


def snapshot(root: Path, run_id: str) -> str:
    """Give the run a dirty tree that is too large for a patch; the snapshot's commit."""
    (root / "train.py").write_text("x = 1\n" * 20_000)
    state = code_state(str(root))
    assert state is not None
    assert state.snapshot is not None
    head = dataclasses.replace(find_run(str(root), run_id), git=state)
    (record_of(root, run_id) / "run.json").write_text(head_text(head))
    keep_snapshot(str(root), run_id, state.snapshot)
    git(root, "checkout", "-q", "--", "train.py")
    return state.snapshot


def test_a_run_of_one_clone_is_whole_in_another(clones: tuple[Path, Path]) -> None:
    one, two = clones
    model, folder = put(one, "model"), put_folder(one, {"a/b.txt": "b", "c.txt": "c"})
    run_id = make_run(one, {"model.bin": model, "data": folder})
    code = snapshot(one, run_id)
    pin(str(one), {run_id: run_objects(str(one), find_run(str(one), run_id))})
    assert commit_record(str(one), ["runs"], "record").commit
    git(one, "push", "-q")
    sent = push_runs(str(one), [], **NOTHING)
    assert (sent.git, sent.remote, sent.runs, sent.snapshots) == ("origin", "here", 1, 1)
    assert (sent.objects, sent.missing) == (4, ())

    git(two, "pull", "-q")
    came = pull_runs(str(two), [run_id], outs=True, **NOTHING)
    files = 3  # `data fetch` counts no listings
    assert (came.runs, came.snapshots, came.objects, came.missing) == (1, 1, files, ())
    assert cached(two, model).read_text() == "model"
    assert cached(two, folder).exists()
    assert git(two, "rev-parse", f"{SNAPSHOTS}{run_id}") == code
    assert git(two, "show", f"{code}:train.py").count("x = 1") == 20_000
    assert pinned_runs(str(two)) == {run_id}
    again = pull_runs(str(two), [run_id], outs=True, **NOTHING)
    assert (again.snapshots, again.objects, again.missing) == (0, 0, ())


def test_what_is_missing_on_both_sides_is_named(clones: tuple[Path, Path]) -> None:
    one, two = clones
    run_id = make_run(one, {"model.bin": put(one, "model"), "lost.bin": "f" * 32})
    snapshot(one, run_id)
    assert commit_record(str(one), ["runs"], "record").commit
    git(one, "push", "-q")
    lost = Missing(run_id, "lost.bin", f"md5:{'f' * 32}")
    assert push_runs(str(one), [], **NOTHING).missing == (lost,)
    git(two, "pull", "-q")
    git(two, "push", "-q", "origin", f":{SNAPSHOTS}{run_id}")
    code, said = run_mlctl(two, "exp", "pull", "last")
    assert code == 1
    assert "snapshot" in said
    assert f"lost.bin  (md5:{'f' * 32})" in said
    assert cached(two, put(one, "model")).exists()


def test_records_on_their_own_branch_of_two_clones_are_united(clones: tuple[Path, Path]) -> None:
    one, two = clones
    first, second = make_run(one, {}), make_run(two, {})
    for root in clones:
        assert commit_record(str(root), ["runs"], "record", branch=True).stored
        push_refs(str(root), "origin", set())
    pull_refs(str(one), "origin")
    for root in clones:
        listed = git(root, "ls-tree", "-r", "--name-only", RUNS)
        assert first in listed
        assert second in listed
    assert git(one, "rev-parse", RUNS) == git(two, "rev-parse", RUNS)
    assert git(one, "status", "--porcelain") == ""


def test_removed_records_stay_removed_and_changed_ones_ours(repo: Path) -> None:
    base = make_commit(str(repo), "base", {"runs/a": b"a", "runs/b": b"b", "runs/c": b"c"})
    ours = make_commit(str(repo), "ours", {"runs/a": None, "runs/c": b"ours"}, parent=base)
    theirs = make_commit(
        str(repo), "theirs", {"runs/b": None, "runs/c": b"theirs", "runs/d": b"d"}, parent=base
    )
    git(repo, "update-ref", RUNS, ours)
    merge_records(str(repo), theirs)
    assert git(repo, "ls-tree", "-r", "--name-only", RUNS).split() == ["runs/c", "runs/d"]
    assert git(repo, "show", f"{RUNS}:runs/c") == "ours"
    assert git(repo, "rev-list", "--count", RUNS) == "4"
    united = resolve(str(repo), RUNS)
    merge_records(str(repo), theirs)
    assert resolve(str(repo), RUNS) == united
    assert united is not None
    newer = make_commit(str(repo), "newer", {"runs/e": b"e"}, parent=united)
    merge_records(str(repo), newer)
    assert resolve(str(repo), RUNS) == newer
    assert list(changed(str(repo), united, newer)) == ["runs/e"]


def test_two_clones_that_pin_and_give_up_come_to_the_same(clones: tuple[Path, Path]) -> None:
    one, two = clones
    pin(str(one), {make_run(one, {}): [], (gone := make_run(one, {})): []})
    push_refs(str(one), "origin", set())
    pull_refs(str(two), "origin")
    unpin(str(two), [gone])
    pin(str(two), {make_run(two, {}): []})
    push_refs(str(two), "origin", set())
    push_refs(str(one), "origin", set())  # has not seen that one was given up
    assert len(pinned_runs(str(one))) == 2
    assert gone not in pinned_runs(str(one))
    pull_refs(str(two), "origin")
    assert pinned_runs(str(two)) == pinned_runs(str(one))


def test_records_come_without_data_where_no_run_is_named(clones: tuple[Path, Path]) -> None:
    one, two = clones
    run_id, model = make_run(one, {"model.bin": put(one, "m")}), put(one, "m")
    assert commit_record(str(one), ["runs"], "record").commit
    git(one, "push", "-q")
    push_runs(str(one), [], **NOTHING)
    git(two, "pull", "-q")
    code, said = run_mlctl(two, "exp", "pull")
    assert (code, run_id in said) == (0, False)
    assert not cached(two, model).exists()
    assert run_mlctl(two, "exp", "pull", "--outs")[0] == 0
    assert cached(two, model).exists()


def test_many_runs_wherever_their_records_are_and_one_that_is_damaged(
    clones: tuple[Path, Path],
) -> None:
    one, two = clones
    stored = [make_run(one, {"m": put(one, f"stored {n}")}, START + n) for n in range(15)]
    assert commit_record(str(one), ["runs"], "stored", branch=True).stored
    here = [make_run(one, {"m": put(one, f"here {n}")}, START + n) for n in range(10)]
    damaged = record_of(one, here[0]) / "stages.jsonl"
    damaged.write_text("{")
    sent = push_runs(str(one), [], **NOTHING)
    assert (sent.runs, sent.objects) == (25, 24)
    assert [it.run for it in sent.missing] == [here[0]]
    assert "exp fsck" in sent.missing[0].what
    came = pull_runs(str(two), [], outs=True, **NOTHING)
    assert (came.runs, came.objects, came.missing) == (15, 15, ())
    assert {head.id for head in list_runs(str(two))} == set(stored)


def test_a_shallow_clone_gets_snapshots_and_records(
    clones: tuple[Path, Path], tmp_path: Path
) -> None:
    one, _ = clones
    run_id = make_run(one, {})
    code = snapshot(one, run_id)
    assert commit_record(str(one), ["runs"], "record", branch=True).stored
    push_refs(str(one), "origin", {run_id})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path}/origin.git", "shallow")
    shallow = tmp_path / "shallow"
    pull_refs(str(shallow), "origin")
    assert run_id in git(shallow, "ls-tree", "-r", "--name-only", RUNS)
    git(shallow, "fetch", "-q", "origin", f"{SNAPSHOTS}*:{SNAPSHOTS}*")
    assert git(shallow, "cat-file", "-t", code) == "commit"


def test_without_any_remote_it_says_what_stays_here(repo: Path) -> None:
    make_project(repo)
    make_run(repo, {"model.bin": put(repo, "model")})
    moved = push_runs(str(repo), [], **NOTHING)
    assert (moved.git, moved.remote, moved.objects) == (None, None, 0)
    code, said = run_mlctl(repo, "exp", "push")
    assert "git has no remote" in said
    assert code == 0


def test_which_remote_of_git_is_meant(repo: Path) -> None:
    assert git_remote(str(repo), None) is None
    git(repo, "remote", "add", "a", "/nowhere/a")
    assert git_remote(str(repo), None) == "a"
    git(repo, "remote", "add", "b", "/nowhere/b")
    with pytest.raises(InvalidInput, match="several"):
        git_remote(str(repo), None)
    git(repo, "config", "branch.main.remote", "b")
    assert git_remote(str(repo), None) == "b"
    assert git_remote(str(repo), "a") == "a"
    with pytest.raises(InvalidInput, match="no remote 'c'"):
        git_remote(str(repo), "c")
    make_project(repo)
    code, said = run_mlctl(repo, "exp", "push", "--git-remote", "a")
    assert code == 3
    assert "/nowhere/a" in said
