"""The verdict on a rerun, and the causes of what differs, from two records alone."""

import math
from dataclasses import replace

import pytest

from mlctl.experiments.again.side import Side
from mlctl.experiments.again.verdict import Verification, tolerance_of, verify
from mlctl.records.run import Host, RunHead
from mlctl.records.run_stages import FileRecord, StageRecord

HOST = Host(2, "CPython 3.11.9", "Linux x86_64")
HEAD = RunHead("01KAS0ME00RVN0000000000000", "finished", "", "", 1.0, ("mlctl",), 1, HOST)
PREPARE = StageRecord(
    "prepare",
    "ran",
    "python prepare.py",
    deps=(FileRecord("prepare.py", "md5:1"), FileRecord("raw.csv", "md5:2")),
    outs=(FileRecord("clean.csv", "md5:3"),),
)
TRAIN = StageRecord(
    "train",
    "ran",
    "python train.py",
    params={"params.yaml": {"train": {"seed": 1, "lr": 0.1}}},
    deps=(FileRecord("clean.csv", "md5:3"), FileRecord("src", "md5:4.dir")),
    outs=(FileRecord("model", "md5:5"), FileRecord("metrics.json", "md5:6")),
    metrics={"metrics.json": {"auc": 0.9, "loss": 0.5}},
)
RECORD = Side(
    HEAD, (PREPARE, TRAIN), {"seed": 1}, {}, {"python": "CPython 3.11.9", "numpy": "1.26"},
    frozenset({"src/net.py", "prepare.py"}),
)  # fmt: skip
OTHER_MODEL = (FileRecord("model", "md5:x"), FileRecord("metrics.json", "md5:y"))


def rerun(*, metrics: dict[str, float] | None = None, side: Side = RECORD, **train: object) -> Side:
    """The run again, with another model, metrics as given, and what else `train` read."""
    by_file = {"metrics.json": metrics or {"auc": 0.8, "loss": 0.5}}
    stage = replace(TRAIN, outs=OTHER_MODEL, metrics=by_file, **train)
    return replace(side, stages=(PREPARE, stage))


def judged(side: Side, tolerances: dict[str, float] | None = None, **known: object) -> Verification:
    return verify(RECORD, side, tolerances or {}, **{"altered": {}, "code": {}, **known})


def causes(found: Verification) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(cause.kind, cause.text, cause.stages) for cause in found.causes]


def test_the_same_bytes_are_identical() -> None:
    found = judged(RECORD)
    assert [it.verdict for it in found.stages] == ["identical", "identical"]
    assert (found.holds, found.causes) == (True, ())


@pytest.mark.parametrize(
    ("metrics", "tolerances", "verdict"),
    [
        ({"auc": 0.9, "loss": 0.5}, {}, "within tolerance"),  # the model has other bytes
        ({"auc": 0.89, "loss": 0.5}, {}, "different"),
        ({"auc": 0.89, "loss": 0.5}, {"auc": 0.02}, "within tolerance"),
        ({"auc": 0.89, "loss": 0.5}, {"auc": 0.001}, "different"),
        ({"auc": 0.89, "loss": 0.52}, {"auc": 0.02}, "different"),
        ({"auc": 0.89, "loss": 0.52}, {"*": 0.05}, "within tolerance"),
        ({"auc": 0.9}, {"*": 1}, "different"),
        ({"auc": math.nan, "loss": 0.5}, {"*": 1}, "different"),
    ],
)
def test_metrics_and_tolerances(metrics, tolerances, verdict) -> None:
    assert judged(rerun(metrics=metrics), tolerances).stages[1].verdict == verdict


def test_a_tolerance_goes_by_the_name_or_its_end_or_a_pattern() -> None:
    assert tolerance_of("metrics/a.json:test.auc", {"auc": 1.0}) == 1.0
    assert tolerance_of("test.auc", {"test.auc": 2.0}) == 2.0
    assert tolerance_of("test.auc", {"test.*": 3.0}) == 3.0
    assert tolerance_of("test.auc", {"uc": 4.0}) == 0.0


def test_a_metric_that_was_never_a_number_stays_so() -> None:
    nan = {"metrics.json": {"auc": math.nan}}
    record = replace(RECORD, stages=(PREPARE, replace(TRAIN, metrics=nan)))
    again = replace(RECORD, stages=(PREPARE, replace(TRAIN, metrics=nan, outs=OTHER_MODEL)))
    found = verify(record, again, {}, altered={}, code={})
    assert found.stages[1].verdict == "within tolerance"


def test_a_seed_is_told_from_another_parameter() -> None:
    params = {"params.yaml": {"train": {"seed": 2, "lr": 0.2}}}
    assert causes(judged(rerun(params=params))) == [
        ("params", "train.lr 0.1 → 0.2", ("train",)),
        ("seed", "train.seed 1 → 2", ("train",)),
    ]


def test_packages_python_and_the_machine() -> None:
    host = replace(HEAD, host=Host(2, "CPython 3.12.1", "Darwin arm64"))
    packages = {"python": "CPython 3.12.1", "numpy": "1.26", "tqdm": "4"}
    side = replace(RECORD, head=host, packages=packages)
    assert causes(judged(rerun(side=side))) == [
        ("python", "python CPython 3.11.9 → CPython 3.12.1", ("train",)),
        ("package", "tqdm none → 4", ("train",)),
        ("hardware", "platform Linux x86_64 → Darwin arm64", ("train",)),
    ]


def test_gpus_are_hardware() -> None:
    host = {"gpus": [{"name": "H100"}, {"name": "H100"}]}
    assert causes(judged(rerun(host=host))) == [("hardware", "gpus none → H100", ("train",))]


def test_another_place_is_hardware() -> None:
    host = {"platform": "Linux aarch64", "python": "CPython 3.11.9", "cpus": 72}
    assert causes(judged(rerun(executor="box", host=host))) == [
        ("hardware", "cpus 2 → 72", ("train",)),
        ("hardware", "executor local → box", ("train",)),
        ("hardware", "platform Linux x86_64 → Linux aarch64", ("train",)),
    ]


def test_code_in_a_folder_that_the_stage_reads() -> None:
    deps = (FileRecord("clean.csv", "md5:3"), FileRecord("src", "md5:9.dir"))
    found = judged(rerun(deps=deps), code={"src/net.py": 12, "other/plot.py": 3})
    assert causes(found) == [
        ("code", "src/net.py, line 12", ("train",)),
        ("code", "other/plot.py, line 3, which no stage declares", ("train",)),
    ]


def test_a_command_that_is_another_one() -> None:
    found = judged(rerun(cmd="python train.py --fast"))
    assert [kind for kind, *_ in causes(found)] == ["command"]


def test_what_follows_from_another_stage_has_no_cause_of_its_own() -> None:
    prepare = replace(
        PREPARE,
        deps=(FileRecord("prepare.py", "md5:1"), FileRecord("raw.csv", "md5:z")),
        outs=(FileRecord("clean.csv", "md5:z"),),
    )
    train = replace(
        TRAIN, deps=(FileRecord("clean.csv", "md5:z"), TRAIN.deps[1]), outs=OTHER_MODEL,
        metrics={"metrics.json": {"auc": 0.1}},
    )  # fmt: skip
    found = judged(replace(RECORD, stages=(prepare, train)))
    assert [it.verdict for it in found.stages] == ["different", "different"]
    assert causes(found) == [("data", "raw.csv (md5:2 → md5:z)", ("prepare",))]


def test_where_nothing_differs_it_is_chance() -> None:
    [(kind, text, stages)] = causes(judged(rerun()))
    assert (kind, stages) == ("not deterministic", ("train",))
    assert "no seed is declared" in text


def test_unknown_packages_are_no_difference() -> None:
    side = replace(RECORD, packages=None)
    assert [kind for kind, *_ in causes(judged(rerun(side=side)))] == ["not deterministic"]
