"""What runs leave is found and freed, and never anything that somebody still needs."""

import fcntl
import json
import os
from pathlib import Path

import pytest
from kept_builders import event_id, git, make_project, make_run, record_of, remove

from conformance.twins import run_mlctl
from mlctl.experiments.collecting import collect, known_runs
from mlctl.experiments.commit import commit_record
from mlctl.experiments.pins import pin, pinned_runs
from mlctl.records.refs import SNAPSHOTS

LONG_AGO = 1_700_000_000


@pytest.fixture
def project(repo: Path) -> Path:
    make_project(repo)
    return repo


def age(path: Path) -> None:
    """Make all of it look old."""
    for each in [*path.rglob("*"), path]:
        os.utime(each, (LONG_AGO, LONG_AGO))


def left(path: Path, content: str = "x" * 100, *, old: bool = True) -> Path:
    path.mkdir(parents=True)
    (path / "metrics.jsonl").write_text(content)
    if old:
        age(path)
    return path


def kinds(root: Path, **options) -> list[str]:
    return sorted(it.kind for it in collect(str(root), **options))


def test_folders_of_dead_processes_go_and_others_stay(project: Path) -> None:
    run_id = make_run(project, {})
    local = project / ".mlctl"
    live = left(local / "live" / run_id)
    under_way = left(local / "live" / event_id(LONG_AGO))  # has no record yet
    torn = left(local / "tmp" / "run-01KAS0ME00RVN0000000000000-77")
    young = left(local / "tmp" / "run-01KAS0ME00RVN0000000000001-77", old=False)
    other = left(local / "tmp" / "of somebody else")
    scratch = left(local / "scratch" / event_id(LONG_AGO))
    held = left(local / "scratch" / event_id(LONG_AGO))
    with open(f"{held}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = collect(str(project))
        assert sorted(it.kind for it in found) == ["live", "scratch", "temporary"]
        assert all(it.size == 100 for it in found)
        assert all(path.exists() for path in (live, torn, scratch))
        collect(str(project), remove=True)
    assert not any(path.exists() for path in (live, torn, scratch))
    assert all(path.exists() for path in (under_way, young, other, held))
    assert record_of(project, run_id).exists()


def test_snapshots_and_pins_go_with_the_last_record_of_their_run(project: Path) -> None:
    head = git(project, "rev-parse", "HEAD")
    here, on_branch, elsewhere, gone = (make_run(project, {}, LONG_AGO + at) for at in range(4))
    pin(str(project), {it: [] for it in (here, on_branch, elsewhere)})
    only_pinned = event_id(LONG_AGO)
    pin(str(project), {only_pinned: []})
    for run_id in (here, on_branch, elsewhere, gone):
        git(project, "update-ref", f"{SNAPSHOTS}{run_id}", head)
    young = event_id(4_000_000_000)  # of a run that is about to be recorded
    git(project, "update-ref", f"{SNAPSHOTS}{young}", head)
    where = {
        run_id: str(record_of(project, run_id).relative_to(project))
        for run_id in (here, on_branch, elsewhere)
    }
    assert commit_record(str(project), [where[on_branch]], "m", branch=True).stored
    git(project, "checkout", "-q", "-b", "other")
    assert commit_record(str(project), [where[elsewhere]], "m").commit
    git(project, "checkout", "-q", "main")
    remove(record_of(project, gone))
    assert {here, on_branch, elsewhere} <= known_runs(str(project))
    found = collect(str(project), remove=True)
    assert [(it.kind, it.name) for it in found] == [
        *sorted(
            [("snapshot", f"{SNAPSHOTS}{gone}"), ("pin", only_pinned)], key=lambda it: it[1][-26:]
        )
    ]
    left_over = git(project, "for-each-ref", "--format=%(refname)", SNAPSHOTS).split()
    assert set(left_over) == {f"{SNAPSHOTS}{it}" for it in (here, on_branch, elsewhere, young)}
    assert pinned_runs(str(project)) == {here, on_branch, elsewhere}
    assert collect(str(project)) == []


def test_records_of_another_work_tree_and_in_packs_count(project: Path, tmp_path: Path) -> None:
    git(project, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "linked")
    in_linked = make_run(tmp_path / "linked", {}, LONG_AGO)
    packed, packed_there = event_id(LONG_AGO), event_id(LONG_AGO)
    (project / "runs").mkdir()
    pack = '{{"schema": "mlctl.run-pack/1", "id": "{}", "head": {{}}, "parts": {{}}}}\n'
    (project / "runs" / "202311.0123abcd.jsonl").write_text(pack.format(packed))
    git(project, "checkout", "-q", "-b", "other")
    (project / "runs" / "202311.89abcdef.jsonl").write_text(pack.format(packed_there))
    git(project, "add", "runs/202311.89abcdef.jsonl")
    git(project, "commit", "-q", "-m", "packed")
    git(project, "checkout", "-q", "main")
    for run_id in (in_linked, packed, packed_there):
        git(project, "update-ref", f"{SNAPSHOTS}{run_id}", git(project, "rev-parse", "HEAD"))
    assert known_runs(str(project)) == {in_linked, packed, packed_there}
    assert collect(str(project)) == []


def test_the_verb_shows_first_and_removes_with_force(project: Path) -> None:
    torn = left(project / ".mlctl" / "tmp" / "live-01KAS0ME00RVN0000000000000-77")
    code, said = run_mlctl(project, "exp", "gc")
    assert (code, torn.exists()) == (0, True)
    assert "1 leftover would go, 100 B." in said
    assert run_mlctl(project, "exp", "gc", "--force", "--dry")[0] == 0
    assert torn.exists()
    assert run_mlctl(project, "exp", "gc", "--older-than", "1000w", "--force")[0] == 0
    assert torn.exists()
    code, said = run_mlctl(project, "exp", "gc", "--force", "--json")
    answer = json.loads(said)
    assert (code, answer["removed"], len(answer["leftovers"])) == (0, True, 1)
    assert not torn.exists()
    assert "Nothing is left over." in run_mlctl(project, "exp", "gc")[1]


def test_an_age_that_is_none(project: Path) -> None:
    code, said = run_mlctl(project, "exp", "gc", "--older-than", "soon")
    assert code == 2
    assert "12h, 7d or 2w" in said


def test_without_git(tmp_path: Path) -> None:
    left(tmp_path / ".mlctl" / "tmp" / "run-01KAS0ME00RVN0000000000000-77")
    assert kinds(tmp_path) == ["temporary"]
