"""Uncached outs that are restored from the cache are copies: they are git's, not the cache's."""

from pathlib import Path

import pytest

from conformance.twins import Twins, snapshot

HARDLINK = "[cache]\n    type = hardlink\n"
METRIC = """\
stages:
  s:
    cmd: cat data.txt > m.json
    deps: [data.txt]
    metrics: [m.json: {cache: false}]
"""
MIXED = """\
stages:
  s:
    cmd: cat data.txt | tee one.txt > two.txt; echo x > three.txt
    deps: [data.txt]
    outs: [one.txt: {cache: false}, two.txt, three.txt]
"""


@pytest.mark.parametrize("link", ["hardlink", "symlink", "copy"])
def test_a_metric_that_was_removed(link: str, tmp_path: Path) -> None:
    twins = Twins(tmp_path, config=HARDLINK.replace("hardlink", link))
    twins.write("data.txt", "{}\n")
    twins.write("dvc.yaml", METRIC)
    assert twins.run() == (0, 0)
    twins.assert_equal()
    twins.remove("m.json")
    assert twins.run() == (0, 0), (twins.said, twins.told)
    twins.assert_equal()
    twins.assert_at_rest()


@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_a_metric_that_is_restored_without_a_commit(link: str, tmp_path: Path) -> None:
    """DVC copies it when it commits, so that it stays a link where nothing is committed."""
    twins = Twins(tmp_path, config=HARDLINK.replace("hardlink", link))
    twins.write("data.txt", "{}\n")
    twins.write("dvc.yaml", METRIC)
    assert twins.run() == (0, 0)
    twins.remove("dvc.lock")
    assert twins.run("--no-commit") == (0, 0), (twins.said, twins.told)
    assert "restored" in twins.told
    writable = [bool((root / "m.json").stat().st_mode & 0o200) for root in twins.both]
    assert writable == [False, True]
    assert not (twins.ours / "m.json").is_symlink()
    assert (twins.ours / "m.json").stat().st_nlink == 1
    assert (twins.dvc / "dvc.lock").read_bytes() == (twins.ours / "dvc.lock").read_bytes()


@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_an_out_that_is_in_the_cache_by_chance(link: str, tmp_path: Path) -> None:
    """`one.txt` has the content of `two.txt`: DVC leaves a link into the cache, mlctl a copy."""
    twins = Twins(tmp_path, config=HARDLINK.replace("hardlink", link))
    twins.write("data.txt", "data\n")
    twins.write("dvc.yaml", MIXED)
    assert twins.run() == (0, 0)
    twins.assert_equal()
    for lost in ("three.txt", "one.txt"):
        twins.remove(lost)
        assert twins.run() == (0, 0), (twins.said, twins.told)
        assert "restored" in twins.told
        theirs, mine = snapshot(twins.dvc), snapshot(twins.ours)
        assert {p for p in theirs.keys() | mine.keys() if theirs.get(p) != mine.get(p)} == {
            "one.txt"
        }
        ours = twins.ours / "one.txt"
        assert ours.read_text() == "data\n"
        assert not ours.is_symlink()
        assert ours.stat().st_nlink == 1
        assert ours.stat().st_mode & 0o200
    twins.assert_at_rest()
