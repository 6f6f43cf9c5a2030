"""What a kept run refers to outlives the garbage collection of DVC and of mlctl."""

from pathlib import Path

import pytest
from kept_builders import cached, dvc, make_project, make_run, put, put_folder

from conformance.twins import run_mlctl
from mlctl.data.versions.garbage import Scope, collect
from mlctl.experiments.commit import commit_record
from mlctl.experiments.objects import RunObject, run_objects
from mlctl.experiments.pins import KEPT, pin, pin_text, pinned_runs, take_over, unpin
from mlctl.experiments.query import find_run, run_facts
from mlctl.store.digest import Digest


@pytest.fixture
def project(repo: Path, tmp_path: Path) -> Path:
    make_project(repo, remote=tmp_path / "remote")
    return repo


def kept(root: Path, *run_ids: str) -> None:
    pin(str(root), {it: run_objects(str(root), find_run(str(root), it)) for it in run_ids})


def test_stock_dvc_keeps_what_is_pinned_and_pushes_it(project: Path, git, tmp_path: Path) -> None:
    model, folder = put(project, "model"), put_folder(project, {"a/b.txt": "b", "c.txt": "c"})
    waste = put(project, "waste")
    kept(project, make_run(project, {"model.txt": model, "data": folder}))
    said = dvc(project, "push", "-A")
    assert "4 files pushed" in said
    dvc(project, "gc", "-A", "-f")
    assert cached(project, model).exists()
    assert cached(project, folder).exists()
    assert not cached(project, waste).exists()
    dvc(project, "gc", "-a", "-f")
    assert cached(project, model).exists()
    dvc(project, "gc", "-A", "-c", "-f")
    assert (tmp_path / "remote/files/md5" / model[:2] / model[2:]).exists()
    assert git("status", "--porcelain", "--untracked-files=no") == ""


def test_a_run_that_is_not_kept_any_more_is_pinned_no_more(project: Path, git) -> None:
    one, other = put(project, "one"), put(project, "other")
    first, second = make_run(project, {"m": one}), make_run(project, {"m": other})
    kept(project, first)
    kept(project, second)
    assert pinned_runs(str(project)) == {first, second}
    unpin(str(project), [first])
    assert pinned_runs(str(project)) == {second}
    assert git("rev-list", "--count", KEPT) == "1"
    dvc(project, "gc", "-A", "-f")
    assert not cached(project, one).exists()
    assert cached(project, other).exists()


def test_mlctl_keeps_them_too_whatever_else_is_asked(project: Path) -> None:
    one, waste = put(project, "one"), put(project, "waste")
    kept(project, make_run(project, {"m": one}))
    collect(str(project), Scope(runs=False), remove=True)
    assert cached(project, one).exists()
    assert not cached(project, waste).exists()


def test_records_on_their_own_branch_and_in_packs_keep_their_objects(project: Path) -> None:
    stored, packed, waste = (put(project, name) for name in ("stored", "packed", "waste"))
    make_run(project, {"m": stored})
    assert commit_record(str(project), ["runs"], "m", branch=True).stored
    (project / "runs").mkdir()
    (project / "runs" / "202611.jsonl").write_text(f'{{"parts": "md5:{packed}"}}\n')
    collect(str(project), Scope(), remove=True)
    assert cached(project, stored).exists()
    assert cached(project, packed).exists()
    assert not cached(project, waste).exists()


def test_giving_up_what_nobody_pinned_is_fine(project: Path, git) -> None:
    unpin(str(project), ["01KAS0ME00RVN0000000000000"])
    assert git("for-each-ref", KEPT) == ""
    assert pinned_runs(str(project)) == set()


def test_of_what_two_clones_pinned_and_gave_up_the_latest_counts(project: Path, git) -> None:
    mine, theirs, gone, back = (make_run(project, {"m": put(project, n)}) for n in "abcd")
    kept(project, theirs, gone, back)
    unpin(str(project), [back])
    git("update-ref", "refs/other", git("rev-parse", KEPT))
    unpin(str(project), [gone, theirs])
    kept(project, mine, back)
    assert pinned_runs(str(project)) == {mine, back}
    here = git("rev-parse", KEPT)
    take_over(str(project), "refs/other")  # all that is said there is older
    assert git("rev-parse", KEPT) == here
    git("update-ref", KEPT, "refs/other")
    take_over(str(project), here)
    assert pinned_runs(str(project)) == {mine, back}


def test_a_project_in_a_folder_of_the_repository(repo: Path) -> None:
    sub = repo / "sub"
    sub.mkdir()
    make_project(sub)
    one, waste = put(sub, "one"), put(sub, "waste")
    kept(sub, make_run(sub, {"m": one}))
    dvc(sub, "gc", "-A", "-f")
    assert cached(sub, one).exists()
    assert not cached(sub, waste).exists()


def test_the_text_of_a_pin() -> None:
    said = pin_text(
        [
            RunObject('odd: "name"', Digest("a" * 32 + ".dir", 5, 2)),
            RunObject("old", Digest("b" * 32, legacy=True)),
        ]
    )
    assert said == (
        f"outs:\n- md5: {'a' * 32}.dir\n  size: 5\n  nfiles: 2\n  hash: md5\n  path: {'a' * 32}\n"
        f'  desc: "odd: \\"name\\""\n- md5: {"b" * 32}\n  path: {"b" * 32}\n  desc: "old"\n'
    )
    assert pin_text([]) == "outs: []\n"


def test_exp_keep_says_it_pins_it_and_undoes_it(project: Path, git) -> None:
    model, lost = put(project, "model"), "f" * 32
    tracked = put(project, "in git")
    cached(project, tracked).unlink()
    run_id = make_run(project, {"model.bin": model, "lost.bin": lost, "train.py": tracked})
    code, said = run_mlctl(project, "exp", "keep", "last")
    assert code == 0
    assert "2 objects pinned" in said
    assert "lacks lost.bin" in said
    assert run_facts(str(project), run_id).kept
    assert pinned_runs(str(project)) == {run_id}
    pinned = git("show", f"{KEPT}:kept/{run_id}/outs.dvc")
    assert model in pinned
    assert lost in pinned
    assert tracked not in pinned
    assert run_mlctl(project, "exp", "keep", run_id, "--undo")[0] == 0
    assert not run_facts(str(project), run_id).kept
    assert pinned_runs(str(project)) == set()


@pytest.mark.parametrize("store", ["tree", "branch"])
def test_keeping_is_committed_where_records_are(project: Path, git, store: str) -> None:
    (project / "mlctl.yaml").write_text(f"records: {{commit: auto, store: {store}}}\n")
    run_id = make_run(project, {"model.bin": put(project, "model")})
    assert run_mlctl(project, "exp", "commit")[0] == 0
    assert run_mlctl(project, "exp", "keep", "last")[0] == 0
    assert git("status", "--porcelain", "runs") == ""
    where = "HEAD" if store == "tree" else "mlctl/runs"
    events = git("ls-tree", "-r", "--name-only", where, "runs")
    assert f"{run_id}/events/" in events
    assert (project / "runs").exists() == (store == "tree")
    assert run_facts(str(project), run_id).kept
    assert run_mlctl(project, "exp", "fsck")[0] == 0


def test_a_run_without_git_is_kept_and_nothing_pinned(tmp_path: Path) -> None:
    run_id = make_run(tmp_path, {})
    code, said = run_mlctl(tmp_path, "exp", "keep", "last")
    assert code == 0
    assert "nothing is pinned" in said
    assert run_facts(str(tmp_path), run_id).kept
