"""Why a stage is changed; the end-to-end agreement with DVC stands in tests/conformance."""

import pytest

from mlctl.pipeline.fingerprint import Seen, changes, same
from mlctl.pipeline.plan import Reason
from mlctl.pipeline.spec import Dep, Digest, LockedPath, LockedStage, Out, ParamsDep, Stage

A, B = Digest("a" * 32), Digest("b" * 32)
STAGE = Stage(
    "dvc.yaml",
    "train",
    cmd="python train.py",
    deps=(Dep("data.csv", "data.csv"),),
    params=(ParamsDep("params.yaml", "params.yaml", ("lr",)),),
    outs=(Out("model", "model"),),
)
LOCKED = LockedStage(
    "python train.py",
    (LockedPath("data.csv", A),),
    {"params.yaml": {"lr": 0.1}},
    (LockedPath("model", B),),
)


def seen(dep=A, params=None, out=B, cached=True):
    return Seen(
        {"data.csv": dep},
        {"params.yaml": {"lr": 0.1} if params is None else params},
        {"model": out},
        frozenset({"model"} if cached else ()),
    )


def test_nothing_changed():
    assert changes(STAGE, LOCKED, seen()) == ()


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (seen(dep=B), Reason("dep", "data.csv", "modified")),
        (seen(dep=None), Reason("dep", "data.csv", "deleted")),
        (seen(params={"lr": 0.2}), Reason("param", "params.yaml", "modified", "lr", 0.1, 0.2)),
        (seen(params={}), Reason("param", "params.yaml", "deleted", "lr", 0.1)),
        (seen(out=A), Reason("out", "model", "modified")),
        (seen(out=None), Reason("out", "model", "deleted")),
        (seen(cached=False), Reason("out", "model", "not in cache")),
    ],
)
def test_each_change_has_its_reason(look, reason):
    assert changes(STAGE, LOCKED, look) == (reason,)


def test_a_stage_without_a_lock_entry_was_never_run():
    assert changes(STAGE, None, seen()) == (Reason("cmd", detail="no lock entry"),)


def test_the_resolved_command_is_compared():
    locked = LockedStage("python train.py -v", LOCKED.deps, LOCKED.params, LOCKED.outs)
    expected = Reason("cmd", old="python train.py -v", new="python train.py")
    assert changes(STAGE, locked, seen()) == (expected,)


def test_missing_data_alone_is_no_change_where_that_is_allowed():
    look = seen(dep=None, out=None, cached=False)
    assert changes(STAGE, LOCKED, look, allow_missing=True) == ()
    reasons = changes(STAGE, LOCKED, look, allow_missing=True, upstream={"data.csv": B})
    assert reasons == (Reason("dep", "data.csv", "modified"),)


def test_a_dvc2_digest_is_another_kind():
    assert not same(A, Digest("a" * 32, legacy=True))
    assert same(A, Digest("a" * 32, size=3, isexec=True))


def test_a_tuple_of_a_python_file_equals_the_locks_list():
    locked = LockedStage(STAGE.cmd, LOCKED.deps, {"params.yaml": {"lr": [1, 2]}}, LOCKED.outs)
    assert changes(STAGE, locked, seen(params={"lr": (1, 2)})) == ()
