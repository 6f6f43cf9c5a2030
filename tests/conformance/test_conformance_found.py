"""Cases that random pipelines found, and how both end in them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conformance.twins import Twins, run_dvc, run_mlctl, snapshot


def test_a_folder_that_becomes_a_dep_is_not_listed_in_the_layout_of_dvc_2(tmp_path: Path) -> None:
    """DVC writes `.dvc/cache/xx/….dir`, which it never reads again; mlctl does not."""
    twins = Twins(tmp_path)
    stage = "stages:\n  s:\n    cmd: echo s > out.txt\n    deps: [{}]\n    outs: [out.txt]\n"
    twins.write("data.txt", "data\n")
    twins.write("folder/a.txt", "a\n")
    twins.write("dvc.yaml", stage.format("data.txt"))
    assert twins.run() == (0, 0)
    twins.assert_equal()
    twins.write("dvc.yaml", stage.format("data.txt, folder"))
    assert twins.run() == (0, 0)
    (listed,) = snapshot(twins.dvc).keys() - snapshot(twins.ours).keys()
    assert Path(listed).match(".dvc/cache/??/*.dir")
    (twins.dvc / listed).unlink()
    twins.assert_equal()
    twins.assert_at_rest()


def test_the_run_cache_takes_no_notice_of_parameters_called_size_and_nfiles(tmp_path: Path) -> None:
    """At any depth: DVC leaves these keys of a file's entry out of its key, wherever they are."""
    twins = Twins(tmp_path)
    twins.write(
        "dvc.yaml",
        "stages:\n  s:\n    cmd: grep -v lr params.yaml > out.txt\n"
        "    params: [size, model, lr]\n    outs: [out.txt]\n",
    )
    params = "size: {}\nmodel: {{nfiles: {}, depth: {}}}\nlr: {}\n"
    first = params.format(1, 1, 1, 1)
    twins.write("params.yaml", first)
    assert twins.run() == (0, 0)
    made = (twins.dvc / "out.txt").read_bytes()
    for values, is_known in [((2, 1, 1, 1), True), ((2, 2, 1, 1), True), ((2, 2, 2, 1), False)]:
        twins.write("params.yaml", params.format(*values))
        assert twins.run() == (0, 0)
        assert ("is cached" in twins.said) == is_known
        assert ("restored" in twins.told) == is_known
        assert ((twins.ours / "out.txt").read_bytes() == made) == is_known
        twins.assert_equal()
        twins.assert_at_rest()


def test_an_executable_in_a_folder_stays_so_until_it_is_brought_back_itself(tmp_path: Path) -> None:
    """Nothing records it. DVC brings back the whole folder, mlctl what is not as it should be."""
    twins = Twins(tmp_path)
    made = "mkdir o && echo a > o/a.txt && echo b > o/tool && chmod +x o/tool"
    twins.write("dvc.yaml", f"stages:\n  s: {{cmd: {made}, deps: [data.txt], outs: [o]}}\n")
    twins.write("data.txt", "data\n")
    assert twins.run() == (0, 0)
    twins.assert_equal()
    twins.remove("dvc.lock")
    assert twins.run() == (0, 0)
    modes = [(root / "o/tool").stat().st_mode & 0o700 for root in twins.both]
    assert modes == [0o600, 0o700]
    twins.remove("o/tool")
    assert twins.run() == (0, 0)
    assert (twins.ours / "o/tool").stat().st_mode & 0o700 == 0o600
    twins.assert_equal()
    twins.assert_at_rest()


@pytest.mark.parametrize("link", ["hardlink", "symlink", "copy"])
def test_a_link_is_executable_until_its_object_is_checked(link: str, tmp_path: Path) -> None:
    twins = Twins(tmp_path, config=f"[cache]\n    type = {link}\n")
    twins.write("dvc.yaml", "stages:\n  s: {cmd: echo a > o && chmod +x o, outs: [o]}\n")
    for wanted in (True, link == "copy"):
        assert twins.run() == (0, 0)
        twins.assert_equal()
        assert bool((twins.ours / "o").stat().st_mode & 0o100) == wanted
    twins.remove("o")
    assert twins.run() == (0, 0)
    twins.assert_equal()
    assert (twins.ours / "o").stat().st_mode & 0o100


@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_a_link_that_is_committed_is_executable_yet(link: str, tmp_path: Path) -> None:
    """What is recorded is how the link was, not how the check of its object leaves it."""
    twins = Twins(tmp_path, config=f"[cache]\n    type = {link}\n")
    made = "cat a.txt > o && chmod +x o && echo x > x"
    twins.write("dvc.yaml", f"stages:\n  s: {{cmd: {made}, deps: [a.txt], outs: [o, x]}}\n")
    twins.write("a.txt", "a\n")
    assert twins.run() == (0, 0)
    for args in (["commit"], ["commit", "-f"]):
        assert run_dvc(twins.dvc, *args)[0] == 0
        assert run_mlctl(twins.ours, *args)[0] == 0
        twins.assert_equal()
        assert (twins.ours / "o").stat().st_mode & 0o100
        assert "isexec: true" in (twins.ours / "dvc.lock").read_text()


def test_a_missing_dep_is_found_before_a_forced_command_is_run(tmp_path: Path) -> None:
    """DVC looks at the deps of a stage that is forced when its command has been run."""
    twins = Twins(tmp_path)
    twins.write(
        "dvc.yaml", "stages:\n  s: {cmd: cat a.txt >> o; echo s >> o, deps: [a.txt], outs: [o]}\n"
    )
    twins.write("a.txt", "a\n")
    assert twins.run() == (0, 0)
    twins.remove("a.txt")
    assert twins.run("--force") == (255, 1)
    assert "'a.txt' does not exist" in twins.said
    assert "missing dep: 'a.txt'" in twins.told
    assert (twins.dvc / "o").read_text() == "s\n"
    assert (twins.ours / "o").read_text() == "a\ns\n"


@pytest.mark.parametrize("place", ["inside", "beside do", "beside matrix"])
def test_set_of_old_versions_is_refused(place: str, tmp_path: Path) -> None:
    """`vars` inside of `do` took its place before DVC 2."""
    names = {"set": {"word": "x"}}
    body: dict[str, object] = {"cmd": "echo ${item}"}
    stage = {
        "inside": {"foreach": ["a"], "do": {**names, **body}},
        "beside do": {**names, "foreach": ["a"], "do": body},
        "beside matrix": {**names, "matrix": {"x": ["a"]}, **body},
    }[place]
    twins = Twins(tmp_path)
    twins.write("dvc.yaml", yaml.safe_dump({"stages": {"s": stage}}))
    theirs, mine = twins.run()
    assert theirs == 255, twins.said
    assert "extra keys not allowed" in twins.said
    assert mine == 2, twins.told
    assert "'set'" in twins.told
