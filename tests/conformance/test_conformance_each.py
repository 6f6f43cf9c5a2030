"""Stages that work item by item: the same bytes under `dvc repro` and `mlctl run`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from conformance.twins import Twins

# What ran stands in mlctl's own folder, which the comparison leaves out.
RESIZE = """\
case $(cat "$MLCTL_INPUT") in
two*)
  mkdir -p "$MLCTL_OUTPUT/deep"
  tr a-z A-Z <"$MLCTL_INPUT" >"$MLCTL_OUTPUT/1"
  tr a-z b-za <"$MLCTL_INPUT" >"$MLCTL_OUTPUT/deep/2"
  ;;
none*) mkdir "$MLCTL_OUTPUT" ;;
*) tr a-z b-za <"$MLCTL_INPUT" >"$MLCTL_OUTPUT" ;;
esac
echo "$MLCTL_ITEM" >>.mlctl/ran.txt
"""
PIPELINE = """\
stages:
  list:
    cmd: ls -R thumbs > names.txt
    deps: [thumbs]
    outs: [names.txt]
  thumbs:
    cmd: mlctl each --over images --name '{stem}.png' sh resize.sh
    deps: [images, resize.sh]
    params: [size]
    outs: [thumbs]
    meta:
      mlctl: {cpus: 2}
"""
ITEMS = {"a.txt": "alpha", "b.txt": "beta", "sub/c.txt": "two", "d.e": "none", "e": "last"}
ALL = sorted(ITEMS)


@pytest.fixture
def twins(tmp_path, monkeypatch, request):
    links = getattr(request, "param", "reflink,copy")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    made = Twins(tmp_path, config=f"[cache]\n    type = {links}\n")
    made.write("resize.sh", RESIZE)
    made.write("params.yaml", "size: 64\n")
    made.write("dvc.yaml", PIPELINE)
    for name, text in ITEMS.items():
        made.write(f"images/{name}", text)
    return made


def bring_up(twins: Twins, *args: str) -> list[str]:
    """Bring both up to date, which must leave the same bytes; the items that each processed."""
    for root in twins.both:
        (root / ".mlctl" / "ran.txt").unlink(missing_ok=True)
    assert twins.run(*args) == (0, 0), (twins.said, twins.told)
    twins.assert_equal()
    theirs, ours = (
        sorted(log.read_text().split()) if (log := root / ".mlctl" / "ran.txt").exists() else []
        for root in twins.both
    )
    assert theirs == ours
    return ours


def results(root: Path) -> dict[str, str]:
    found = sorted((root / "thumbs").rglob("*"))
    return {p.relative_to(root / "thumbs").as_posix(): p.read_text() for p in found if p.is_file()}


@pytest.mark.parametrize("twins", ["reflink,copy", "hardlink", "symlink"], indirect=True)
def test_only_what_changed_runs_and_the_bytes_are_the_same(twins):
    assert bring_up(twins) == ALL
    twins.assert_at_rest()
    assert results(twins.ours) == {
        "a.png": "bmqib",
        "b.png": "cfub",
        "e.png": "mbtu",
        "sub/c.png/1": "TWO",
        "sub/c.png/deep/2": "uxp",
    }

    twins.write("images/b.txt", "new")
    twins.write("images/f.txt", "two more")
    twins.remove("images/sub")
    twins.remove("images/e")
    assert bring_up(twins) == ["b.txt", "f.txt"]
    twins.assert_at_rest()
    assert results(twins.ours) == {
        "a.png": "bmqib",
        "b.png": "ofx",
        "f.png/1": "TWO MORE",
        "f.png/deep/2": "uxp npsf",
    }

    twins.write("images/e", "last")  # as it was in the first run
    assert bring_up(twins) == []
    assert results(twins.ours)["e.png"] == "mbtu"


def test_another_dep_parameter_or_command_processes_all(twins):
    bring_up(twins)
    twins.write("resize.sh", RESIZE + "# faster\n")
    assert bring_up(twins) == ALL
    twins.write("params.yaml", "size: 32\n")
    # DVC's run-cache takes no notice of a parameter that is called `size`.
    assert bring_up(twins, "--no-run-cache") == ALL
    twins.write("dvc.yaml", PIPELINE.replace(".png", ".jpg"))
    assert bring_up(twins) == ALL
    assert "a.jpg" in results(twins.ours)
    twins.write("images/a.txt", "again")
    assert bring_up(twins) == ["a.txt"]
    twins.write("params.yaml", "size: 64\n")
    twins.write("dvc.yaml", PIPELINE)
    twins.write("resize.sh", RESIZE)
    assert bring_up(twins) == ["a.txt"]  # what the first run made is known still


def test_settings_run_nothing_again(twins):
    bring_up(twins)
    twins.write("dvc.yaml", PIPELINE.replace("cpus: 2", "cpus: 1, each: {jobs: 3}"))
    assert bring_up(twins) == []
    twins.assert_at_rest()


def test_tracked_items_are_known_by_the_lock_alone(twins):
    """As in a fresh clone after `dvc pull`: no state of ours, and the cache of the last run."""
    twins.add("images")
    bring_up(twins)
    for root in twins.both:
        shutil.rmtree(root / ".mlctl")
        (root / ".mlctl").mkdir()
    twins.write("images/a.txt", "other")
    twins.remove("images/b.txt")
    assert bring_up(twins) == ["a.txt", "d.e"], "an empty result is not told by listings"
    twins.assert_at_rest()


def test_forced_takes_what_is_known_unless_all_is_asked_for(twins, monkeypatch):
    bring_up(twins)
    assert bring_up(twins, "-f") == []
    monkeypatch.setenv("MLCTL_EACH", "all")
    assert bring_up(twins, "-f") == ALL


def test_results_that_gc_took_are_made_again(twins):
    bring_up(twins)
    twins.write("images/a.txt", "other")
    bring_up(twins)
    twins.write("images/a.txt", "alpha")
    twins.write("images/b.txt", "b")

    def lose_the_first_result(root):
        (known,) = (root / ".mlctl" / "each").glob("*.jsonl")
        line = next(line for line in known.read_text().splitlines() if '"a.txt"' in line)
        md5 = line.rpartition('["a.png", "')[2][:32]
        (root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()

    twins.edit(lose_the_first_result)
    assert bring_up(twins) == ["a.txt", "b.txt"]


def test_no_commit_and_no_items(twins):
    assert bring_up(twins, "--no-commit") == ALL
    twins.write("images/a.txt", "other")
    assert bring_up(twins, "--no-commit") == ["a.txt"]
    for name in ["a.txt", "b.txt", "d.e", "e", "sub"]:
        twins.remove(f"images/{name}")
    assert bring_up(twins, "thumbs") == []
    assert results(twins.ours) == {}


def test_an_out_that_persists(twins):
    twins.write(
        "dvc.yaml", PIPELINE.replace("[thumbs]\n    meta", "[{thumbs: {persist: true}}]\n    meta")
    )
    assert bring_up(twins) == ALL
    twins.write("images/a.txt", "other")
    twins.remove("images/sub")
    assert bring_up(twins) == ["a.txt"]
    assert results(twins.ours) == {"a.png": "puifs", "b.png": "cfub", "e.png": "mbtu"}
    twins.assert_at_rest()
