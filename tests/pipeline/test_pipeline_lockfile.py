"""`dvc.lock` against DVC itself: DVC 3 reads and writes the same bytes in this very process."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import YAMLFileCorruptedError
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st

from mlctl.adapters import yaml
from mlctl.errors import ConfigError
from mlctl.pipeline import lockfile, locktext
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage

quick = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

NASTY = [
    "",
    " leading",
    "trailing ",
    "true",
    "NULL",
    "010",
    "1e-3",
    "0x1f",
    "2024-01-01",
    "a: b",
    "a #b",
    "- a",
    "it's",
    'say "x"',
    "one\ntwo\n",
    "tab\there",
    "日本 é Ω",
    "x" * 100,
    "word " * 40 + "end",
    "python train.py --lr=0.1 --path data/raw/file.csv && echo 'done: yes' | tee out/log.txt # no",
    "{a}",
    "[b]",
    "%c",
    "@d",
    "=",
    "<<",
    "~",
    "...",
    "a  b",
]
words = st.sampled_from(["a", "python", "src/x.py", "--lr=0.01", "y" * 30, "'q'", "&&", "é", "k:v"])
texts = (
    st.sampled_from(NASTY)
    | st.lists(words, min_size=1, max_size=25).map(" ".join)
    | st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=20)
)
names = st.sampled_from(
    ["a", "b", "train", "eval@1", "x-y_z", "lr@0.1", "010", "yes", "null", "k v"]
)
# ruamel's round trip, and so DVC, loses digits of other floats; `splice` keeps them.
floats = st.floats(-1e6, 1e6).map(lambda number: round(number, 4)) | st.just(math.nan)
scalars = st.none() | st.booleans() | st.integers() | floats | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
md5s = st.text("0123456789abcdef", min_size=32, max_size=32)
digests = st.builds(
    Digest,
    md5=md5s
    | md5s.map(lambda text: text + ".dir")
    | st.just("1" * 32)
    | st.just("12e4" + "5" * 28),
    size=st.none() | st.integers(0, 10**13),
    nfiles=st.none() | st.integers(0, 9),
    isexec=st.booleans(),
    legacy=st.booleans(),
)
paths = st.sampled_from(["data/a.csv", "../x", "b", ".env", "01/f", "a b", "a: b", "p" * 90, "é"])
locked_paths = st.lists(
    st.builds(LockedPath, paths, digests), max_size=3, unique_by=lambda item: item.path
).map(lambda items: tuple(sorted(items, key=lambda item: item.path)))
locked_stages = st.builds(
    LockedStage,
    cmd=texts | st.lists(texts, min_size=1, max_size=3).map(tuple),
    deps=locked_paths,
    params=st.dictionaries(
        st.sampled_from(["params.yaml", "a.yaml", "z.json"]),
        st.dictionaries(
            st.sampled_from(["lr", "k.n", "x"]) | texts, values, min_size=1, max_size=3
        ),
        max_size=2,
    ),
    outs=locked_paths,
)


def dvc_dump(path: Path, name: str, stage: LockedStage) -> None:
    """What DVC's Lockfile.dump_stages does with the stage's entry."""
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(str(path)) as data:
        if not data:
            data.update({"schema": "2.0"})
        data["stages"] = data.get("stages", {})
        data["stages"].update({name: lockfile.entry(stage)})


def dvc_text(old: str | None, updates: dict[str, LockedStage], folder: Path) -> str:
    path = folder / "dvc.lock"
    path.unlink(missing_ok=True)
    if old is not None:
        path.write_bytes(old.encode())
    for name, stage in updates.items():
        dvc_dump(path, name, stage)
    return path.read_text("utf-8")


@quick
@given(names, locked_stages)
@example("a", LockedStage("cmd", params={"params.yaml": {"x": math.nan, "y": 1e-05, "z": -0.0}}))
def test_a_stage_has_the_bytes_of_dvc(name: str, stage: LockedStage) -> None:
    from dvc.utils.serialize import dumps_yaml

    expected = dumps_yaml({"stages": {name: lockfile.entry(stage)}})
    assert "stages:\n" + lockfile.stage_text(name, stage) == expected


@quick
@given(
    st.dictionaries(names, locked_stages, max_size=4),
    st.dictionaries(names, locked_stages, min_size=1, max_size=3),
)
def test_splice_has_the_bytes_of_dvc(
    tmp_path: Path, old: dict[str, LockedStage], new: dict[str, LockedStage]
) -> None:
    try:
        before = dvc_text(None, old, tmp_path) if old else None
        expected = dvc_text(before, new, tmp_path)
    except YAMLFileCorruptedError:
        assume(False)  # ruamel does not read back every odd key that it writes
    assert lockfile.splice(before, new, list(new)) == expected


@quick
@given(st.dictionaries(names, locked_stages, min_size=1, max_size=4))
def test_what_is_written_is_read_back(stages: dict[str, LockedStage]) -> None:
    text = lockfile.splice(None, stages, list(stages))
    try:
        lock = lockfile.parse_text(text, name="dvc.lock")
    except ConfigError:
        assume(False)  # ruamel does not read back every odd key that it writes
    plain = lockfile.parse(yaml._ruamel_load(text, "dvc.lock", typ="safe"), name="dvc.lock")
    assert repr(lock.stages) == repr(plain.stages)
    assert list(lock.stages) == list(stages)
    for name, stage in stages.items():
        assert lockfile.stage_text(name, lock.stages[name]) == lockfile.stage_text(name, stage)


USUAL = """\
schema: '2.0'
stages:
  prepare:
    cmd: python src/prepare.py
    deps:
    - path: data/raw.csv
      hash: md5
      md5: a304afb96060aad90176268345e10355
      size: 37891850
    params:
      params.yaml:
        prepare.seed: 20170428
        prepare.split: 0.2
    outs:
    - path: data/prepared
      hash: md5
      md5: 153aad06d376b6595932470e459ef42a.dir
      size: 8437363
      nfiles: 2
  train:
    cmd: python train.py --with-a-very-long-command-line data/prepared/train.tsv
      model.pkl --more
    outs:
    - path: model.pkl
      md5: 662eb7f64216d9c2c1088d0a5e2c6951
"""
NEW = {
    "train": LockedStage("python t.py", outs=(LockedPath("m", Digest("a" * 32, size=1)),)),
    "report": LockedStage(("a", "b: c"), params={"z.yaml": {"a": [1, {"b": None}]}}),
}
UNUSUAL = {
    "usual": USUAL,
    "comment on top": "# mine\n" + USUAL,
    "comment between stages": USUAL.replace("  train:", "  # about train\n  train:"),
    "comment on a stage": USUAL.replace("  train:", "  train: # about train"),
    "comment inside": USUAL.replace("    outs:", "    # about outs\n    outs:"),
    "comment at the end": USUAL + "# the end\n",
    "comment before a stage": USUAL.replace("  train:", "# about train\n  train:"),
    "blank line": USUAL.replace("  train:", "\n  train:"),
    "CRLF": USUAL.replace("\n", "\r\n"),
    "no newline at the end": USUAL.rstrip("\n"),
    "quotes": USUAL.replace("python src/prepare.py", '"python src/prepare.py"'),
    "double-quoted schema": USUAL.replace("'2.0'", '"2.0"'),
    "indented lists": re.sub(r"(?m)^(    - |      (?:hash|md5|size|nf))", r"  \1", USUAL),
    "flow style": USUAL.replace("0.2", "[1, {a: 2}]"),
    "one long line": USUAL.replace("train.tsv\n      ", "train.tsv "),
    "float formats": USUAL.replace("0.2", "0.20").replace("20170428", "1.0e-3"),
    "quoted name": USUAL.replace("  train:", "  'train':"),
    "anchors": USUAL.replace("20170428", "&x 3").replace("split: 0.2", "split: *x"),
    "datasets": USUAL + "datasets:\n- name: d\n  type: url\n  url: s3://b/d\n",
    "datasets first": USUAL.replace("stages:", "datasets:\n- name: d\n  type: url\nstages:"),
    "no stages": "schema: '2.0'\nstages: {}\n",
    "schema only": "schema: '2.0'\n",
    "empty": "",
    "document marker": "---\n" + USUAL,
    "only a comment": "# nothing here\n",
}


@pytest.mark.parametrize("case", UNUSUAL)
@pytest.mark.parametrize("names", [["train"], ["train", "report"], ["report"], ["prepare"]])
def test_splice_treats_any_formatting_as_dvc_does(
    case: str, names: list[str], tmp_path: Path
) -> None:
    updates = {name: NEW.get(name, NEW["report"]) for name in names}
    old = UNUSUAL[case]
    assert lockfile.splice(old, updates, names) == dvc_text(old, updates, tmp_path)


def test_a_usual_lock_is_not_dumped_as_a_whole() -> None:
    assert locktext.split(USUAL) is not None
    assert locktext.bodies(USUAL) is not None


def test_new_stages_are_appended_in_order() -> None:
    updates = {name: LockedStage("x") for name in ("c", "a", "b", "other")}
    text = lockfile.splice(USUAL, updates, ["a", "b", "prepare", "c"])
    assert list(lockfile.parse_text(text, name="l").stages) == [
        "prepare", "train", "a", "b", "c", "other",
    ]  # fmt: skip


def test_five_thousand_entries_are_spliced_at_once() -> None:
    digest = Digest("a304afb96060aad90176268345e10355", size=12)
    many = {
        f"stage{number}": LockedStage(
            f"python src/train.py --seed {number} --input data/prepared/{number}.csv --to {number}",
            deps=(LockedPath(f"data/{number}.csv", digest), LockedPath("src/x.py", digest)),
            params={"params.yaml": {"lr": 0.1, "seed": number, "name": "x"}},
            outs=(LockedPath(f"out/{number}.csv", digest),),
        )
        for number in range(5000)
    }
    text = lockfile.splice(None, many, list(many))
    start = time.perf_counter()
    changed = lockfile.splice(text, {"stage2500": many["stage1"]}, [])
    first = time.perf_counter() - start
    start = time.perf_counter()
    lockfile.splice(changed, {"stage2500": many["stage2500"]}, [])
    second = time.perf_counter() - start
    start = time.perf_counter()
    lock = lockfile.parse_text(text, name="dvc.lock")
    reading = time.perf_counter() - start
    assert lock.stages == many
    assert changed != text
    print(
        f"splice {first * 1000:.0f} ms, again {second * 1000:.0f} ms, read {reading * 1000:.0f} ms"
    )
    assert first < 0.5
    assert second < 0.25


def test_entry_is_what_dvc_makes_of_a_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.dvcfile import LOCK_FILE, Lockfile, load_file
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  s:\n    cmd: [echo a, 'echo b: c']\n    deps: [z.csv, a.csv]\n"
        "    params: [lr, b.yaml: [q], a.json: [k]]\n    outs: [o2, o1]\n"
    )
    digest = Digest("a304afb96060aad90176268345e10355", size=12, isexec=True)
    folder = Digest("153aad06d376b6595932470e459ef42a.dir", size=0, nfiles=2, legacy=True)
    stage = LockedStage(
        ("echo a", "echo b: c"),
        deps=(
            LockedPath("z.csv", digest),
            LockedPath("a.csv", folder),
        ),
        params={
            "b.yaml": {"q": [1, {"x": 2.5}]},
            "a.json": {"k": None},
            "params.yaml": {"lr": 1e-5},
        },
        outs=(LockedPath("o2", digest), LockedPath("o1", folder)),
    )
    text = lockfile.splice(None, {"s": stage}, ["s"])
    (tmp_path / LOCK_FILE).write_text(text)
    with Repo.init(no_scm=True) as repo:
        loaded = load_file(repo, "dvc.yaml").stages["s"]
        (tmp_path / LOCK_FILE).unlink()
        Lockfile(repo, str(tmp_path / LOCK_FILE)).dump(loaded)
    assert (tmp_path / LOCK_FILE).read_text() == text
    assert lockfile.stage_text("s", lockfile.parse_text(text, name="l").stages["s"]) in text


@pytest.mark.parametrize(
    ("text", "where", "line", "says"),
    [
        ("schema: '3.0'\nstages: {}\n", "schema", 1, "newer"),
        ("a:\n  cmd: x\n", "schema", 1, "DVC 1"),
        ("schema: '1.0'\n", "schema", 1, "invalid schema"),
        ("schema: 2.0\n", "schema", 1, "invalid schema"),
        ("schema: '2.0'\nother: 1\n", "other", 2, "unknown key"),
        ("schema: '2.0'\nstages: []\n", "stages", 2, "mapping"),
        ("schema: '2.0'\nstages:\n  a:\n    deps: []\n", "stages.a", 3, "`cmd` is missing"),
        ("schema: '2.0'\nstages:\n  a:\n    cmd: x\n    out: []\n", "stages.a.out", 5, "unknown"),
        (
            "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - path: o\n      size: big\n",
            "stages.a.outs.0.size",
            7,
            "invalid value 'big'",
        ),
        ("schema: '2.0'\nstages:\n  a:\n    cmd: x\n    cmd: y\n", None, 5, "duplicate key"),
        ("schema: '2.0'\nstages:\n  a: [\n", None, 4, "not valid YAML"),
        (
            "schema: '2.0'\nstages:\n<<<<<<< HEAD\n  a:\n    cmd: x\n=======\n>>>>>>> b\n",
            None,
            3,
            "conflict markers",
        ),
        ("[1, 2]\n", None, None, "mapping"),
    ],
)
def test_errors_name_the_place(text: str, where: str | None, line: int | None, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lockfile.parse_text(text, name="sub/dvc.lock")
    error = caught.value
    assert (error.file, error.where, error.line) == ("sub/dvc.lock", where, line)
    assert says in error.message


def test_a_url_has_its_etag_in_place_of_a_digest() -> None:
    url = Digest("", size=7, extra={"etag": "abc", "version_id": "v1"})
    assert list(lockfile.path_entry(LockedPath("https://h.org/f", url))) == [
        "path", "hash", "etag", "size", "version_id",
    ]  # fmt: skip


def test_an_empty_lock_has_no_stages() -> None:
    assert lockfile.parse_text("", name="dvc.lock").stages == {}


def test_datasets_are_kept() -> None:
    lock = lockfile.parse_text(UNUSUAL["datasets"], name="dvc.lock")
    assert lock.datasets == ({"name": "d", "type": "url", "url": "s3://b/d"},)
    assert list(lock.stages) == ["prepare", "train"]
    assert lock.text == UNUSUAL["datasets"]


@quick
@given(st.data())
def test_the_quick_reader_agrees_on_damaged_locks(data: Any) -> None:
    at = data.draw(st.integers(len(locktext.HEAD), len(USUAL)))
    cut = data.draw(st.integers(0, 6))
    piece = data.draw(
        st.sampled_from(["", " ", "\n", "  ", "#", "'", '"', ": ", "- ", "e", "1", "  b:\n"])
    )
    text = USUAL[:at] + piece + USUAL[at + cut :]
    bodies = locktext.bodies(text)
    if bodies is None:
        return
    assert repr(yaml._ruamel_load(text, "l", typ="safe")["stages"]) == repr(bodies)
