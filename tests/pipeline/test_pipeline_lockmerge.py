"""Merging locks by stage: the algebra of it, git's own markers, and DVC as the reader."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mlctl.adapters import yaml
from mlctl.errors import ConfigError
from mlctl.pipeline import lockfile
from mlctl.pipeline.lockmerge import Merge, merge_marked, merge_texts, versions
from mlctl.pipeline.spec import LockedStage
from pipeline.test_pipeline_lockfile import locked_stages

quick = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# Few names and a small pool of entries for each example, so that versions agree now and then.
names = st.sampled_from(["a", "b", "c", "train@1", "010"])


def is_read_back(stage: LockedStage) -> bool:
    """Whether ruamel reads what it wrote: long keys it folds, and then cannot read."""
    try:
        read = lockfile.parse_text(text({"a": stage}), name="x").stages["a"]
    except ConfigError:
        return False
    return lockfile.stage_text("a", read) == lockfile.stage_text("a", stage)


readable = locked_stages.filter(is_read_back)


@st.composite
def three(draw: st.DrawFn) -> tuple[dict[str, LockedStage], ...]:
    pool = draw(st.lists(readable, min_size=1, max_size=3))
    version = st.dictionaries(names, st.sampled_from(pool), min_size=1, max_size=5)
    return draw(version), draw(version), draw(version)


def text(stages: dict[str, LockedStage]) -> str:
    return lockfile.splice(None, stages, list(stages))


def simple(**commands: str) -> str:
    return text({name: LockedStage(cmd) for name, cmd in commands.items()})


def commands(merge: Merge) -> dict[str, Any]:
    return {
        name: stage.cmd for name, stage in lockfile.parse_text(merge.text, name="x").stages.items()
    }


def dvc_reads(lock: str) -> dict[str, Any]:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import parse_yaml
    from dvc.utils.strictyaml import validate

    data = parse_yaml(lock, "dvc.lock")
    validate(data, COMPILED_LOCKFILE_SCHEMA, path="dvc.lock")
    return dict(data.get("stages", {}))


def forms(stages: Any) -> dict[str, str]:
    return {name: lockfile.stage_text(name, stage) for name, stage in stages.items()}


@quick
@given(three())
def test_a_side_alone_is_the_merge_byte_for_byte(versions: Any) -> None:
    base, a, b = map(text, versions)
    assert merge_texts(base, (a, a), name="x").text == a
    assert merge_texts(base, (base, b), name="x").text == b
    assert merge_texts(base, (a, base), name="x").text == a
    assert merge_texts(None, (a, a), name="x") == merge_texts("", (a, a), name="x")


@quick
@given(three())
def test_each_entry_is_whole_from_a_side_and_the_order_of_the_sides_is_no_matter(
    versions: Any,
) -> None:
    base, ours, theirs = versions
    merge = merge_texts(text(base), (text(ours), text(theirs)), name="x")
    other = merge_texts(text(base), (text(theirs), text(ours)), name="x")
    assert forms(merge.stages) == forms(other.stages)
    assert (set(merge.kept), set(merge.dropped)) == (set(other.kept), set(other.dropped))
    old, mine, its = forms(base), forms(ours), forms(theirs)
    expected = {}
    for name in {*mine, *its}:
        changed = {side.get(name) for side in (mine, its)} - {old.get(name)}
        if not changed:
            expected[name] = old[name]
        elif len(changed) == 1 and (value := changed.pop()) is not None:
            expected[name] = value
    assert forms(merge.stages) == expected


@quick
@given(three())
def test_the_text_says_what_was_merged_and_dvc_reads_it(versions: Any) -> None:
    merge = merge_texts(text(versions[0]), tuple(map(text, versions[1:])), name="x")
    assert forms(lockfile.parse_text(merge.text, name="x").stages) == forms(merge.stages)
    assert dvc_reads(merge.text).keys() == merge.stages.keys()
    again = lockfile.splice(merge.text, {"new": LockedStage("echo")}, ["new"])
    assert dvc_reads(again).keys() == {*merge.stages, "new"}
    assert "{}" not in again.split("new:")[0].split("stages:")[0]


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
@quick
@given(three())
@example(
    (
        {"a": LockedStage("one"), "b": LockedStage("b")},
        {"a": LockedStage("two"), "b": LockedStage("b")},
        {"a": LockedStage("three"), "b": LockedStage("b")},
    )
)
def test_what_git_marks_is_a_lock_again(tmp_path: Path, style: str, versions: Any) -> None:
    """Not more: git may have put an entry outside of its markers together from both sides."""
    files = [tmp_path / name for name in ("ours", "base", "theirs")]
    for file, stages in zip(files, (versions[1], versions[0], versions[2]), strict=True):
        file.write_text(text(stages))
    how = [] if style == "merge" else [f"--{style}"]
    done = subprocess.run(["git", "merge-file", "-p", *how, *files], capture_output=True, text=True)
    if done.returncode == 0:
        return
    base, sides = versions_of(done.stdout)
    assert len(sides) == 2
    assert (base is None) == (style == "merge")
    try:
        merge = merge_marked(done.stdout, name="x")
    except ConfigError:  # the text merge of the other lines may be no lock any more
        return
    assert dvc_reads(merge.text).keys() == merge.stages.keys()


versions_of = versions


def test_a_marker_may_cut_an_entry_in_the_middle():
    lock = """\
schema: '2.0'
stages:
  prepare:
    cmd: prepare
  train:
    cmd: train
    deps:
    - path: data
      hash: md5
<<<<<<< HEAD
      md5: 11111111111111111111111111111111
      size: 1
  evaluate:
    cmd: evaluate
=======
      md5: 22222222222222222222222222222222
      size: 2
>>>>>>> branch
"""
    merge = merge_marked(lock, name="dvc.lock")
    assert commands(merge) == {"prepare": "prepare", "evaluate": "evaluate"}
    assert merge.dropped == ("train",)
    assert merge.kept == ("evaluate",)


def test_a_conflict_inside_of_a_conflict_is_one_more_version():
    lock = """\
schema: '2.0'
stages:
  a:
    cmd: a
<<<<<<< HEAD
<<<<<<< Updated upstream
  b:
    cmd: b1
=======
  c:
    cmd: c
>>>>>>> Stashed changes
=======
  b:
    cmd: b2
>>>>>>> branch
"""
    merge = merge_marked(lock, name="dvc.lock")
    assert commands(merge) == {"a": "a", "c": "c"}
    assert merge.dropped == ("b",)


def test_a_longer_marker_in_the_base_is_gits_own_conflict_among_ancestors():
    lock = """\
schema: '2.0'
stages:
<<<<<<< HEAD
  a:
    cmd: a1
||||||| merged common ancestors
<<<<<<<<< Temporary merge branch 1
  a:
    cmd: x
||||||||| 1234567
=========
  a:
    cmd: y
>>>>>>>>> Temporary merge branch 2
=======
  a:
    cmd: a1
  b:
    cmd: b
>>>>>>> branch
"""
    assert commands(merge_marked(lock, name="dvc.lock")) == {"a": "a1", "b": "b"}


@pytest.mark.parametrize(
    "lock",
    [
        "<<<<<<< HEAD\nschema: '2.0'\n",
        "schema: '2.0'\n=======\n<<<<<<< a\n",
        "<<<<<<< a\n=======\n=======\n>>>>>>> b\n",
        "<<<<<<< a\n>>>>>>> b\n",
        "<<<<<<< a\nschema: '2.0'\n=======\n- what\n>>>>>>> b\n",
    ],
)
def test_markers_that_do_not_match_are_told_with_their_line(lock):
    with pytest.raises(ConfigError, match="conflict markers") as caught:
        merge_marked(lock, name="sub/dvc.lock")
    assert caught.value.line
    assert "git checkout --ours sub/dvc.lock" in (caught.value.hint or "")


def test_deleted_on_one_side_and_kept_on_the_other_is_deleted():
    merge = merge_texts(simple(a="a", b="b"), (simple(a="a"), simple(a="a", b="b")), name="x")
    assert commands(merge) == {"a": "a"}


def test_deleted_on_one_side_and_changed_on_the_other_is_dropped():
    merge = merge_texts(simple(a="a", b="b"), (simple(a="a"), simple(a="a", b="2")), name="x")
    assert (commands(merge), merge.dropped) == ({"a": "a"}, ("b",))


def test_when_nothing_is_left_dvc_still_reads_it():
    merge = merge_texts(simple(a="0"), (simple(a="1"), simple(a="2")), name="x")
    assert merge.text == "schema: '2.0'\n"
    assert dvc_reads(merge.text) == {}


def test_one_and_true_are_not_the_same_parameter():
    def lock(value: Any) -> str:
        return text({"a": LockedStage("a", params={"params.yaml": {"x": value}})})

    assert merge_texts(lock(0), (lock(1), lock(True)), name="x").dropped == ("a",)


def test_comments_of_a_foreign_form_survive_as_in_dvcs_round_trip():
    base = "# mine\nschema: '2.0'\nstages:\n    a: {cmd: a}\n    # of b\n    b: {cmd: b}\n"
    ours, theirs = base.replace("cmd: b", "cmd: b1"), base.replace("cmd: a", "cmd: a1")
    merge = merge_texts(base, (ours, theirs), name="x")
    assert commands(merge) == {"a": "a1", "b": "b1"}
    assert "# mine" in merge.text


def test_windows_line_ends_are_read():
    base, ours, theirs = simple(a="a"), simple(a="a", b="b"), simple(a="a", c="c")
    crlf = [side.replace("\n", "\r\n") for side in (ours, theirs)]
    assert merge_texts(base, crlf, name="x").text == simple(a="a", b="b", c="c")


DATASET = "datasets:\n- name: {}\n  url: s3://x\n  type: url\n  meta: {{version: {}}}\n"


def test_datasets_are_merged_by_name_and_a_real_clash_is_told():
    def lock(*datasets: tuple[str, int]) -> str:
        lines = [DATASET.format(*each).removeprefix("datasets:\n") for each in datasets]
        return "schema: '2.0'\n" + "datasets:\n" + "".join(lines) + "stages:\n  a:\n    cmd: a\n"

    base, ours = lock(("d", 1)), lock(("d", 2))
    merge = merge_texts(base, (ours, lock(("d", 1), ("e", 1))), name="x")
    found = yaml.load(merge.text, name="x")["datasets"]
    assert [(d["name"], d["meta"]["version"]) for d in found] == [("d", 2), ("e", 1)]
    dvc_reads(merge.text)
    with pytest.raises(ConfigError, match="disagree about this dataset") as caught:
        merge_texts(base, (ours, lock(("d", 3))), name="x")
    assert caught.value.where == "datasets.d"
    assert "dvc ds update d" in (caught.value.hint or "")
