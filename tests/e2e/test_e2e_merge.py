"""Two branches that both changed `dvc.lock`: merged by git with and without our driver."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from e2e.sandbox import Sandbox, call
from mlctl.pipeline import lockfile
from mlctl.projects import merge_driver

STAGES = {
    name: {
        "cmd": f"cat {name}.in > {name}.out && echo {name} >> times.txt",
        "deps": [f"{name}.in"],
        "outs": [f"{name}.out"],
    }
    for name in "abcd"
}


@pytest.fixture
def forked(box: Sandbox) -> Sandbox:
    """On `main` a and b are run anew, on `other` b and c: b is what they clash about."""
    box.stages(STAGES)
    for name in "abcd":
        box.write(f"{name}.in", f"{name}0\n")
    box.write(".gitignore", "/times.txt\n/.mlctl\n/runs\n")
    run(box)
    box.commit()
    box.git("checkout", "-qb", "other")
    change(box, b="theirs\n", c="theirs\n")
    box.git("checkout", "-q", "main")
    box.dvc("checkout", "-q")
    change(box, a="ours\n", b="ours\n")
    (box.root / "times.txt").unlink()
    return box


def change(box: Sandbox, *more: str, **files: str) -> None:
    for name, text in files.items():
        box.write(f"{name}.in", text)
    for name in more:
        box.write(name, "changed\n")
    run(box)
    box.commit()


def run(box: Sandbox) -> str:
    code, said = box.run("run")
    assert code == 0, said
    return said


def merge(box: Sandbox) -> subprocess.CompletedProcess[str]:
    """Merge `other`; b.in is then what a person makes of it."""
    done = call(["git", "merge", "--no-edit", "other"], box.root)
    assert "b.in" in done.stdout, done
    box.write("b.in", "both\n")
    return done


def use_driver(box: Sandbox) -> None:
    assert box.run("init", "--merge-driver")[0] == 0


def conclude(box: Sandbox) -> None:
    """Commit the merge; DVC and mlctl find nothing left to do, after a checkout too."""
    box.git("add", "-A")
    box.git("commit", "-q", "--no-edit")
    assert box.json("status")["changed"] == 0
    assert json.loads(box.dvc("status", "--json").stdout) == {}
    assert "up to date" in box.dvc("repro").stdout


def ran(box: Sandbox) -> list[str]:
    path = box.root / "times.txt"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_without_the_driver_a_run_mends_what_git_marked(forked, style):
    forked.git("config", "merge.conflictStyle", style)
    merge(forked)
    marked = forked.read("dvc.lock")
    assert "<<<<<<<" in marked

    code, said = forked.run("status")
    assert code == 0
    assert "dvc.lock: merge conflict resolved stage by stage: kept a, c; " in said
    assert "to be derived again: b" in said
    assert "`mlctl run` writes it" in said
    told = forked.json("status")
    assert told["unmerged"] == [{"lock": "dvc.lock", "kept": ["a", "c"], "dropped": ["b"]}]
    assert forked.json("plan")["unmerged"] == told["unmerged"]
    assert forked.read("dvc.lock") == marked

    said = run(forked)
    assert said.count("merge conflict resolved stage by stage") == 1
    assert ran(forked) == ["b"]
    assert "to be derived again" not in run(forked)
    conclude(forked)


def test_with_the_driver_git_merges_the_lock_itself(forked):
    use_driver(forked)
    forked.commit()
    done = merge(forked)
    assert "to be derived again: b (both sides changed them)" in done.stderr
    locked = lockfile.parse_text(forked.read("dvc.lock"), name="dvc.lock").stages
    assert set(locked) == {"a", "c", "d"}
    assert forked.git("ls-files", "-u", "--", "dvc.lock") == ""
    assert "conflict" not in run(forked)
    assert ran(forked) == ["b"]
    conclude(forked)


def test_without_mlctl_on_the_path_the_driver_leaves_gits_markers(forked, monkeypatch):
    use_driver(forked)
    forked.commit()
    command = merge_driver.COMMAND.replace("mlctl ", "mlctl-that-is-not-there ")
    forked.git("config", "merge.dvc-lock.driver", command)
    merge(forked)
    assert "<<<<<<<" in forked.read("dvc.lock")
    assert "merge conflict resolved" in run(forked)
    assert ran(forked) == ["b"]
    conclude(forked)


def test_an_entry_that_git_put_together_from_both_sides_is_not_taken(box):
    many = [f"in/{number:02}" for number in range(12)]
    # wide.out is the same on both sides, so that git merges the rest of its entry as text.
    wide = {"cmd": "echo out > wide.out", "deps": many, "outs": ["wide.out"]}
    box.stages({"b": STAGES["b"], "wide": wide})
    for name in ("b.in", *many):
        box.write(name, "0\n")
    run(box)
    box.commit()
    box.git("checkout", "-qb", "other")
    change(box, "in/11", b="theirs\n")
    box.git("checkout", "-q", "main")
    change(box, "in/00", b="ours\n")
    merge(box)
    assert box.read("dvc.lock").count("<<<<<<<") == 1
    assert box.json("status")["unmerged"][0]["dropped"] == ["b", "wide"]


def test_a_rebase_is_mended_as_a_merge_is(forked):
    forked.git("checkout", "-q", "other")
    assert call(["git", "rebase", "main"], forked.root).returncode == 1
    forked.write("b.in", "both\n")
    run(forked)
    forked.git("add", "-A")
    assert (
        call(["git", "rebase", "--continue"], forked.root, env={"GIT_EDITOR": "true"}).returncode
        == 0
    )
    assert forked.json("status")["changed"] == 0


def test_markers_that_were_committed_are_mended_without_the_index(forked):
    merge(forked)
    forked.git("add", "-A")
    forked.git("commit", "-q", "--no-edit")
    assert "merge conflict resolved" in run(forked)
    assert ran(forked) == ["b"]
    conclude_clean(forked)


def conclude_clean(box: Sandbox) -> None:
    box.commit()
    assert json.loads(box.dvc("status", "--json").stdout) == {}


def test_what_a_side_has_in_the_run_cache_is_not_run_again(forked):
    merge(forked)
    forked.write("b.in", "theirs\n")
    run(forked)
    assert ran(forked) == []
    assert forked.read("b.out") == "theirs\n"
    conclude(forked)


def test_commit_mends_before_it_records(forked):
    merge(forked)
    forked.write("b.out", "by hand\n")
    assert forked.run("commit", "-f")[0] == 0
    assert "<<<<<<<" not in forked.read("dvc.lock")
    conclude(forked)


def test_a_dry_run_and_a_run_that_is_busy_write_nothing(forked):
    merge(forked)
    marked = forked.read("dvc.lock")
    assert forked.run("run", "--dry-run")[0] == 0
    assert forked.read("dvc.lock") == marked


def test_what_a_killed_run_had_finished_comes_in_after_the_merge(forked):
    merge(forked)
    folder = forked.root / ".mlctl" / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    locked = lockfile.parse_text(forked.git("show", "HEAD:dvc.lock"), name="x").stages["d"]
    was = lockfile.stage_text("d", locked)
    entry = was.replace("d0", "x0").replace("d.in > ", "d.in  > ")
    record = {"lock": "dvc.lock", "stage": "d", "entry": entry, "was": was}
    (folder / "01ABC.jsonl").write_text(json.dumps(record) + "\n")
    assert forked.run("status")[0] == 0
    assert (folder / "01ABC.jsonl").exists()
    assert "merge conflict resolved" in run(forked)
    assert not list(folder.iterdir())
    conclude(forked)


def test_a_lock_that_cannot_be_merged_is_told_and_left(forked):
    merge(forked)
    marked = forked.read("dvc.lock").replace(">>>>>>> other\n", "")
    forked.git("rm", "-q", "--cached", "dvc.lock")
    forked.write("dvc.lock", marked)
    code, said = forked.run("run")
    assert code == 2
    assert "dvc.lock:" in said
    assert "which do not match" in said
    assert forked.read("dvc.lock") == marked


def test_the_driver_refuses_what_is_no_lock_and_leaves_it(box):
    for name in ("base", "ours", "theirs"):
        box.write(name, "schema: '9.0'\n")
    code, said = box.run("merge-lock", "base", "ours", "theirs", "sub/dvc.lock")
    assert code == 2
    assert "sub/dvc.lock" in said
    assert box.read("ours") == "schema: '9.0'\n"
    assert box.run("merge-lock", "none", "ours", "theirs")[0] == 2


def test_the_driver_in_json(box):
    lock = "schema: '2.0'\nstages:\n  a:\n    cmd: {}\n"
    for name in ("base", "ours", "theirs"):
        box.write(name, lock.format(name))
    told = box.json("merge-lock", "base", "ours", "theirs")
    assert told == {
        "schema": "mlctl.merge-lock/1",
        "lock": "dvc.lock",
        "kept": [],
        "dropped": ["a"],
    }
    assert box.read("ours") == "schema: '2.0'\n"


def test_a_project_in_a_folder_of_a_larger_repository(tmp_path: Path):
    outer = tmp_path / "outer"
    outer.mkdir()
    call(["git", "init", "-q"], outer)
    (outer / "README").write_text("x")
    box = Sandbox(outer / "models" / "p", git=False)
    (box.root / ".dvc" / "config").write_text("")
    box.stages(STAGES)
    for name in "abcd":
        box.write(f"{name}.in", f"{name}0\n")
    box.write(".gitignore", "/times.txt\n/.mlctl\n/runs\n/.dvc/tmp\n/.dvc/cache\n")
    run(box)
    box.commit()
    box.git("checkout", "-qb", "other")
    change(box, b="theirs\n")
    box.git("checkout", "-q", "main")
    change(box, b="ours\n")
    merge(box)
    assert "to be derived again: b" in run(box)
    conclude(box)
