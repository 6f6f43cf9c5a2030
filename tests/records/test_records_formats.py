"""The run's record as text: round trips, size, versions."""

import json
import math
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.errors import ConfigError
from mlctl.records import canonical
from mlctl.records.run import (
    HEAD_LIMIT,
    CodeState,
    Host,
    RunHead,
    head_text,
    parse_head,
    run_folder,
)
from mlctl.records.run_stages import FileRecord, StageRecord, parse_stages, stages_text
from mlctl.records.ulid import is_ulid, new_ulid, ulid_seconds

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARAM = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
METRIC = st.floats() | st.integers(-(10**20), 10**20)
HASH = st.text("0123456789abcdef", min_size=40, max_size=40)
SECONDS = st.floats(0, 1e9, allow_nan=False)
ULIDS = st.builds(new_ulid, st.floats(0, 2e11), st.binary(min_size=10, max_size=10))

HEADS = st.builds(
    RunHead,
    id=ULIDS,
    status=st.sampled_from(["finished", "failed", "interrupted"]),
    started=st.just("2026-11-23T23:02:05.123Z"),
    ended=st.just("2026-11-23T23:02:06.123Z"),
    seconds=SECONDS,
    argv=st.lists(TEXT, max_size=4).map(tuple),
    jobs=st.integers(1, 64),
    host=st.builds(Host, st.none() | st.integers(1, 64), TEXT, TEXT),
    git=st.none()
    | st.builds(
        CodeState, st.none() | HASH, st.none() | TEXT, HASH, st.booleans(), st.none() | HASH,
        st.lists(TEXT, max_size=3).map(tuple),
    ),
    env=st.none() | HASH,
    params=st.dictionaries(TEXT, PARAM, max_size=5),
    metrics=st.dictionaries(TEXT, METRIC, max_size=5),
    outcomes=st.dictionaries(st.sampled_from(["ran", "failed"]), st.integers(1, 9)),
    ran=st.lists(TEXT, max_size=4).map(tuple),
)  # fmt: skip

FILES = st.lists(
    st.builds(FileRecord, TEXT, st.none() | HASH, st.none() | st.integers(0, 9)), max_size=3
).map(tuple)
STAGES = st.builds(
    StageRecord,
    address=TEXT,
    outcome=st.sampled_from(["ran", "failed", "unchanged"]),
    cmd=st.none() | TEXT | st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    reasons=st.lists(st.dictionaries(TEXT, PARAM, min_size=1, max_size=2), max_size=2).map(tuple),
    seconds=SECONDS,
    exit_code=st.none() | st.integers(-9, 255),
    attempts=st.integers(1, 3),
    params=st.dictionaries(TEXT, st.dictionaries(TEXT, PARAM, max_size=2), max_size=2),
    metrics=st.dictionaries(TEXT, st.dictionaries(TEXT, METRIC, max_size=2), max_size=2),
    deps=FILES,
    outs=FILES,
    message=st.none() | TEXT.filter(bool),
)


def same(left: object, right: object) -> bool:
    """Equality in which NaN is itself."""
    return repr(left) == repr(right)


def head(**fields: object) -> RunHead:
    values = {
        "id": new_ulid(1.8e9, b"0123456789"),
        "status": "finished",
        "started": "2026-11-23T23:02:05.123Z",
        "ended": "2026-11-23T23:02:06.123Z",
        "seconds": 1.0,
        "argv": ("mlctl", "run"),
        "jobs": 1,
        "host": Host(2, "CPython 3.11.2", "Linux x86_64"),
    }
    return RunHead(**{**values, **fields})


@given(HEADS)
@settings(max_examples=60, deadline=None)
def test_a_head_comes_back_as_it_was(it: RunHead) -> None:
    text = head_text(it)
    back = parse_head(text, name="run.json")
    assert text.endswith("}\n")
    assert head_text(back) == text
    if not back.truncated:
        ordered = {**{name: getattr(it, name) for name in it.__slots__}}
        for name in ("params", "metrics", "outcomes"):
            assert json.dumps(canonical.plain(ordered[name]), sort_keys=True) == json.dumps(
                canonical.plain(getattr(back, name)), sort_keys=True
            )
        assert (back.git, back.argv, back.host, back.ran) == (it.git, it.argv, it.host, it.ran)


@given(st.lists(STAGES, max_size=4))
@settings(max_examples=60, deadline=None)
def test_stages_come_back_as_they_were(stages: list[StageRecord]) -> None:
    text = stages_text(stages)
    back = parse_stages(text, name="stages.jsonl")
    assert stages_text(back) == text
    assert [(s.address, s.cmd, s.deps, s.outs, s.exit_code) for s in back] == [
        (s.address, s.cmd, s.deps, s.outs, s.exit_code) for s in stages
    ]
    for was, now in zip(stages, back, strict=True):
        for file, values in was.metrics.items():
            assert all(same(now.metrics[file][key], value) for key, value in values.items())


@given(
    st.integers(0, 400), st.integers(0, 400), st.integers(1, 300), st.sampled_from(["a", "é", "𝔘"])
)
@settings(max_examples=40, deadline=None)
def test_a_head_is_never_over_its_limit(
    params: int, metrics: int, longest: int, letter: str
) -> None:
    it = head(
        params={f"p{i}": letter * (i % longest) for i in range(params)},
        metrics={f"m{i}" * 5: float(i) for i in range(metrics)},
        argv=("mlctl", "run", letter * 3000, letter * 3000),
        git=CodeState(
            "0" * 40, "main", "1" * 40, True, None, tuple(f"f{i}" * 9 for i in range(metrics))
        ),
    )
    text = head_text(it)
    assert len(text.encode()) <= HEAD_LIMIT
    back = parse_head(text, name="run.json")
    assert len(back.params) + back.truncated.get("params", 0) == params
    assert len(back.metrics) + back.truncated.get("metrics", 0) == metrics
    if back.truncated.get("metrics"):
        assert not back.params  # they give way first


def test_the_longest_parameters_give_way_first() -> None:
    it = head(params={"prompt": "x" * 9000, "lr": 0.1, "depth": 3})
    back = parse_head(head_text(it), name="run.json")
    assert back.params == {"lr": 0.1, "depth": 3}
    assert back.truncated == {"params": 1}


def test_what_no_number_in_json_is_stands_as_text() -> None:
    text = head_text(head(metrics={"a": math.nan, "b": -math.inf}))
    assert json.loads(text, parse_constant=pytest.fail)["metrics"] == {"a": "NaN", "b": "-Infinity"}
    assert parse_head(text, name="x").metrics["b"] == -math.inf


def test_a_newer_version_is_refused_with_a_clear_error() -> None:
    text = head_text(head()).replace("mlctl.run/1", "mlctl.run/2")
    with pytest.raises(ConfigError, match=r"newer mlctl: mlctl\.run/2") as caught:
        parse_head(text, name="runs/20261123/X/run.json")
    assert caught.value.hint == "update mlctl to read it"
    assert "runs/20261123/X/run.json" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "<<<<<<< HEAD\n{}",
        '{"schema": "mlctl.profile/1"}',
        '{"schema": "mlctl.run/1"}',
        '{"schema": 7}',
    ],
)
def test_what_is_no_head_is_an_error_that_names_the_file(text: str) -> None:
    with pytest.raises(ConfigError, match=r"that/run\.json"):
        parse_head(text, name="that/run.json")


@pytest.mark.parametrize("row", ["{", "[]", '{"address": "a"}', "null"])
def test_what_is_no_stage_is_an_error_that_names_the_line(row: str) -> None:
    good = stages_text([StageRecord("a", "ran")])
    with pytest.raises(ConfigError, match=r"stages\.jsonl:2"):
        parse_stages(good + row + "\n", name="stages.jsonl")


def test_the_text_of_a_head_is_pinned() -> None:
    text = head_text(head(params={"b": 1, "a": "ü"}))
    assert text.startswith('{\n "argv": [\n  "mlctl",\n  "run"\n ],\n "ended": ')
    assert '"params": {\n  "a": "ü",\n  "b": 1\n }' in text


def test_a_run_lies_in_the_folder_of_its_day_in_utc() -> None:
    just_before_midnight = 1_795_478_399.9  # 2026-11-23T23:59:59.9Z
    run_id = new_ulid(just_before_midnight, bytes(10))
    assert run_folder(run_id) == f"runs/20261123/{run_id}"


@given(st.lists(st.tuples(st.floats(0, 1e10), st.binary(min_size=10, max_size=10)), max_size=20))
def test_ulids_only_grow(moments: list[tuple[float, bytes]]) -> None:
    made: list[str] = []
    for seconds, chance in moments:
        made.append(new_ulid(seconds, chance, last=made[-1] if made else None))
    assert made == sorted(set(made))
    assert all(map(is_ulid, made))


@given(st.floats(0, 1e10), st.binary(min_size=10, max_size=10))
def test_a_ulid_tells_its_time(seconds: float, chance: bytes) -> None:
    assert ulid_seconds(new_ulid(seconds, chance)) == int(seconds * 1000) / 1000


def test_the_example_of_the_ulid_specification() -> None:
    assert new_ulid(1469918176.385, bytes(10))[:10] == "01ARYZ6S41"
    assert new_ulid(0, b"\xff" * 10) == "0000000000ZZZZZZZZZZZZZZZZ"


def test_no_ulid_comes_after_the_last_one() -> None:
    with pytest.raises(ValueError, match="after the last"):
        new_ulid(time.time(), os.urandom(10), last="7" + "Z" * 25)


def test_a_ulid_needs_ten_bytes() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        new_ulid(0, b"123")


def test_a_record_of_version_1_is_read_for_ever() -> None:
    """`v1/` was written by the first release; it must never be written anew."""
    folder = Path(__file__).parent / "v1"
    text = (folder / "run.json").read_text(encoding="utf-8")
    it = parse_head(text, name="run.json")
    assert (it.status, it.metrics["auc"], it.params["train.lr"]) == ("failed", 0.9125, 0.1)
    assert (it.git.dirty, it.git.omitted, it.host.cpus) == (True, (".env",), 8)
    assert head_text(it) == text
    rows = (folder / "stages.jsonl").read_text(encoding="utf-8")
    train, report = parse_stages(rows, name="stages.jsonl")
    assert (train.outcome, report.attempts, report.message) == ("ran", 2, "exit code 1")
    assert train.deps[1] == FileRecord("external:big.csv", "md5:" + "b" * 32, 99)
    assert stages_text([train, report]) == rows
