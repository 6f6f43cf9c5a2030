"""The run-cache against DVC's StageCache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.pipeline import lockfile, run_cache
from mlctl.pipeline.spec import Dep, Digest, LockedPath, LockedStage, Out, Stage
from mlctl.store import run_cache as store

FILE = Digest("a304afb96060aad90176268345e10355", size=12, isexec=True)
FOLDER = Digest("153aad06d376b6595932470e459ef42a.dir", size=3, nfiles=2)
STAGE = LockedStage(
    "echo a",
    deps=(LockedPath("a.csv", FILE), LockedPath("d", FOLDER)),
    params={"params.yaml": {"lr": 1e-5, "x": {"size": 3, "y": [1, {"nfiles": 2}]}}},
    outs=(LockedPath("o", FILE),),
)


def test_keys_and_file_are_dvcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/x").write_text("x")
    (tmp_path / "params.yaml").write_text("lr: 1e-5\nx: {size: 3, y: [1, {nfiles: 2}]}\n")
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n  s:\n    cmd: cp a.csv o; chmod +x o\n    deps: [d, a.csv]\n"
        "    params: [lr, x]\n    outs: [o]\n"
    )
    with Repo.init(no_scm=True) as repo:
        repo.reproduce()
    lock = lockfile.parse_text((tmp_path / "dvc.lock").read_text(), name="dvc.lock")
    [theirs] = [p for p in (tmp_path / ".dvc/cache/runs").rglob("*") if p.is_file()]
    run_cache.save(str(tmp_path / "ours"), lock.stages["s"])
    [ours] = [p for p in (tmp_path / "ours/runs").rglob("*") if p.is_file()]
    assert ours.relative_to(tmp_path / "ours") == theirs.relative_to(tmp_path / ".dvc/cache")
    assert ours.read_bytes() == theirs.read_bytes()
    key = run_cache.key(lock.stages["s"])
    assert run_cache.lookup(str(tmp_path / ".dvc/cache"), key) == lock.stages["s"]


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["size", "nfiles", "md5", "a"]), inner)
        ),
        max_leaves=8,
    )
)
def test_digests_are_dvcs(value: object) -> None:
    from dvc.stage.cache import _get_cache_hash

    entry = {"cmd": "x", "params": {"p": value}, "outs": [{"path": "o", "md5": "m", "size": 1}]}
    assert store.value(entry) == _get_cache_hash(dict(entry))
    assert store.key(entry) == _get_cache_hash(dict(entry), key=True)


def test_the_newest_entry_counts_and_a_corrupt_one_goes(tmp_path: Path) -> None:
    cache, key = str(tmp_path), run_cache.key(STAGE)
    assert run_cache.lookup(cache, key) is None
    other = LockedStage(STAGE.cmd, STAGE.deps, STAGE.params, (LockedPath("o", FOLDER),))
    assert run_cache.key(other) == key
    run_cache.save(cache, other)
    run_cache.save(cache, STAGE)
    place = Path(store.folder(cache, key))
    os.utime(place / run_cache.value(other), (1, 1))
    assert run_cache.lookup(cache, key) == STAGE
    (place / run_cache.value(STAGE)).write_text("cmd: [")
    assert run_cache.lookup(cache, key) is None
    assert not (place / run_cache.value(STAGE)).exists()
    assert run_cache.lookup(cache, key) == other
    (place / run_cache.value(other)).write_text("deps: []\n")
    assert run_cache.lookup(cache, key) is None


def test_saving_again_keeps_the_file(tmp_path: Path) -> None:
    run_cache.save(str(tmp_path), STAGE)
    path = Path(store.folder(str(tmp_path), run_cache.key(STAGE))) / run_cache.value(STAGE)
    os.utime(path, (1, 1))
    run_cache.save(str(tmp_path), STAGE)
    assert path.stat().st_mtime == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"deps": ()}, False),
        ({"outs": ()}, False),
        ({"always_changed": True}, False),
        ({"outs": (Out("o", "o", persist=True),)}, False),
        ({"outs": (Out("/o", "/o"),)}, False),
        ({"deps": (Dep("s3://b/x", "s3://b/x"),)}, False),
        ({"deps": (Dep("/x", "/x"),)}, True),
    ],
)
def test_eligible(changes: dict[str, object], expected: bool) -> None:
    base = {"cmd": "x", "deps": (Dep("a", "a"),), "outs": (Out("o", "o"),)}
    assert run_cache.eligible(Stage("dvc.yaml", "s", **(base | changes))) is expected  # type: ignore[arg-type]
