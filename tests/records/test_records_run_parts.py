"""What a run logged and what is said of it later, as text: round trips, folds, damage."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.errors import ConfigError
from mlctl.records.run import HEAD_LIMIT, Host, RunHead, Whole, head_text, parse_head
from mlctl.records.run_artifacts import Artifact, artifacts_text, parse_artifacts
from mlctl.records.run_events import Event, event_text, fold, parse_event
from mlctl.records.run_metrics import (
    Series,
    StepLine,
    parse_steps,
    series_names,
    series_of,
    steps_text,
    summaries,
)
from mlctl.records.run_stages import StageRecord, parse_stages, stages_text
from mlctl.records.secrets import hidden
from mlctl.records.ulid import new_ulid

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBER = st.floats() | st.integers(-(10**15), 10**15)
LINES = st.builds(
    StepLine,
    metrics=st.dictionaries(TEXT, NUMBER, min_size=1, max_size=3),
    step=st.integers(0, 10**9) | st.floats(0, 1e9),
    t=st.floats(0, 1e9),
    stage=st.none() | TEXT,
    rank=st.integers(0, 7),
)


def head(**fields: object) -> RunHead:
    values = {
        "id": new_ulid(1.8e9, b"0123456789"),
        "status": "finished",
        "started": "2026-11-23T23:02:05.123Z",
        "ended": "2026-11-23T23:02:06.123Z",
        "seconds": 1.0,
        "argv": ("python", "train.py"),
        "jobs": 1,
        "host": Host(2, "CPython 3.11.2", "Linux x86_64"),
    }
    return RunHead(**{**values, **fields})


def event(number: int, kind: str, value: str | None = None) -> Event:
    return Event(new_ulid(1.8e9 + number, bytes(10)), kind, value, "2026-11-23T23:02:05.123Z")


@given(st.lists(LINES, max_size=5))
@settings(max_examples=60, deadline=None)
def test_steps_come_back_as_they_were(lines: list[StepLine]) -> None:
    text = steps_text(lines)
    back = parse_steps(text, name="metrics.jsonl")
    assert repr(back) == repr(tuple(lines)) or steps_text(back) == text
    assert len(back) == len(lines)


def test_a_line_says_no_more_than_it_must() -> None:
    assert steps_text([StepLine({"loss": 0.3}, 12, 1.25, "train")]) == (
        '{"metrics":{"loss":0.3},"stage":"train","step":12,"t":1.25}\n'
    )
    assert json.loads(steps_text([StepLine({"b": math.nan}, 0, 0.5, rank=1)])) == {
        "metrics": {"b": "NaN"}, "rank": 1, "step": 0, "t": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("row", ["{", "[]", '{"step":1,"t":1}', '{"metrics":{"a":true}}', "null"])
def test_what_is_no_step_is_an_error_that_names_the_line(row: str) -> None:
    good = steps_text([StepLine({"a": 1.0}, 0, 0.0)])
    with pytest.raises(ConfigError, match=r"metrics\.jsonl:2"):
        parse_steps(good + row + "\n", name="metrics.jsonl")


def test_a_series_is_summed_up_without_its_nans() -> None:
    values = [math.nan, 0.5, 0.1, 0.9]
    lines = [StepLine({"loss": value}, step, 0.0) for step, value in enumerate(values)]
    assert series_of(summaries(lines)) == {"loss": Series(0.9, 0.1, 0.9, 2, 3, 4)}
    only = series_of(summaries(lines[:1]))["loss"]
    assert (math.isnan(only.last), math.isnan(only.min), only.n) == (True, True, 1)


def test_a_series_goes_by_its_metric_and_by_its_stage_where_two_logged_it() -> None:
    keys = [("train", 0, "loss"), ("tune", 1, "loss"), ("train", 1, "loss"), ("tune", 2, "auc")]
    assert series_names(keys) == {
        ("tune", 2, "auc"): "auc",
        ("train", 0, "loss"): "train:loss",
        ("tune", 1, "loss"): "tune:loss",
    }


def test_a_series_of_one_of_many_stages_has_the_same_name_however_many_ran() -> None:
    assert series_names([("train@a", 0, "loss")]) == {("train@a", 0, "loss"): "train@a:loss"}


def test_what_came_later_to_a_head_comes_back() -> None:
    it = head(
        name="first try",
        origin={"kind": "import", "source": "mlflow", "id": "a1"},
        seeds={"train.seed": 7},
        series={"loss": Series(0.25, -math.inf, 1.5, 3, 0, 4)},
        full=Whole("md5:" + "a" * 32, 300_000),
    )
    back = parse_head(head_text(it), name="run.json")
    assert back == it


def test_a_head_that_says_nothing_new_reads_as_it_did() -> None:
    said = json.loads(head_text(head()))
    assert said.keys().isdisjoint({"name", "origin", "seeds", "series", "full"})


def test_series_give_way_after_metrics_and_before_the_rest() -> None:
    series = {f"metric-{i}" * 3: Series(0.1, 0.1, 0.9, 1, 2, 3) for i in range(200)}
    text = head_text(head(metrics={"auc": 0.9}, series=series, seeds={"seed": 1}))
    back = parse_head(text, name="run.json")
    assert len(text.encode()) <= HEAD_LIMIT
    assert len(back.series) + back.truncated["series"] == 200
    assert (len(back.series) > 10, back.seeds) == (True, {"seed": 1})


@given(
    st.integers(0, 150), st.integers(0, 150), st.integers(0, 150), st.sampled_from(["a", "é", "𝔘"])
)
@settings(max_examples=40, deadline=None)
def test_a_head_with_all_of_it_is_never_over_its_limit(
    series: int, seeds: int, params: int, letter: str
) -> None:
    it = head(
        name=letter * 200,
        origin={"kind": "python", "exception": letter * 500},
        series={f"{letter}{n}" * 9: Series(0.1, 0.1, 0.9, 1, 2, 3) for n in range(series)},
        seeds={f"{letter}{n}" * 9: n for n in range(seeds)},
        params={f"{letter}{n}" * 9: letter * n for n in range(params)},
        full=Whole("md5:" + "a" * 32, 300_000),
    )
    text = head_text(it)
    assert len(text.encode()) <= HEAD_LIMIT
    back = parse_head(text, name="run.json")
    assert (back.name, back.origin, back.full) == (it.name, it.origin, it.full)
    for field in ("series", "seeds", "params"):
        kept, given = getattr(back, field), getattr(it, field)
        assert len(kept) + back.truncated.get(field, 0) == len(given)
        assert kept.items() <= given.items()


def test_a_stage_keeps_what_was_logged_and_how_the_machine_was_used() -> None:
    usage = {"cpu_mean": 1.5, "curve": {"seconds": [1.0, 2.0], "cpu": [1.0, 2.0]}}
    it = StageRecord("train", "ran", logged={"lr": 0.1}, usage=usage)
    (back,) = parse_stages(stages_text([it]), name="stages.jsonl")
    assert (back.logged, back.usage) == ({"lr": 0.1}, usage)


def test_events_fold_in_the_order_of_their_ids() -> None:
    events = [
        event(1, "tag", "good"),
        event(2, "tag", "kept"),
        event(3, "untag", "good"),
        event(4, "rename", "second try"),
        event(5, "archive"),
        event(6, "unarchive"),
        event(7, "keep"),
        event(8, "note", "the learning rate was too high"),
        event(9, "made-up-later", "x"),
    ]
    facts = fold(reversed(events))
    assert (facts.name, facts.tags, facts.archived, facts.kept) == (
        "second try", ("kept",), False, True,
    )  # fmt: skip
    assert [note.value for note in facts.notes] == ["the learning rate was too high"]


def test_an_event_comes_back_as_it_was() -> None:
    it = event(1, "rename", "ünï")
    assert parse_event(event_text(it), event_id=it.id, name="e.json") == it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema":"mlctl.run-event/2","kind":"tag"}', "newer mlctl"),
        ('{"schema":"mlctl.run-event/1","kind":"tag","value":null,"time":""}', "not a text"),
        ('{"schema":"mlctl.run-event/1","value":"x"}', "KeyError"),
        ("<<<<<<< HEAD", "no valid JSON"),
    ],
)
def test_a_damaged_event_is_an_error_that_names_the_file(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_event(text, event_id=event(1, "tag").id, name="runs/x/events/e.json")
    assert "runs/x/events/e.json" in str(caught.value)


def test_a_file_that_is_not_named_by_a_ulid_is_no_event() -> None:
    with pytest.raises(ConfigError, match="named by a ULID"):
        parse_event(event_text(event(1, "keep")), event_id="copy of it", name="e.json")


def test_what_a_run_logged_is_read_for_ever() -> None:
    """`v1/logged/` was written by the first release that logs; it must never be written anew."""
    texts = {
        path.name: path.read_text() for path in (Path(__file__).parent / "v1/logged").iterdir()
    }
    it = parse_head(texts["run.json"], name="run.json")
    assert (it.name, it.seeds["seed"], it.full) == (
        "first try", 7, Whole("md5:" + "a" * 32, 812_345),
    )  # fmt: skip
    assert it.series["loss"] == Series(0.25, 0.2, math.inf, 9000, 0, 9001)
    imported = parse_head(texts["imported.json"], name="imported.json")
    assert imported.origin == {"kind": "import", "source": "mlflow", "id": "b1c2"}
    (train,) = parse_stages(texts["stages.jsonl"], name="stages.jsonl")
    assert (train.logged["opt"], train.usage["gpus"][0]["energy"]) == ("adam", 12.5)
    steps = parse_steps(texts["metrics.jsonl"], name="metrics.jsonl")
    assert steps[1] == StepLine({"loss": 0.25}, 9000, 599.0, "train", 1)
    files = parse_artifacts(texts["artifacts.jsonl"], name="artifacts.jsonl")
    assert [(file.path, file.step) for file in files] == [("plots/roc.svg", None), (None, 3)]
    name = "01KAS0ME01RVN0000000000000.json"
    tag = parse_event(texts[name], event_id=name.removesuffix(".json"), name=name)
    assert (tag.kind, tag.value) == ("tag", "baseline")
    assert texts == {
        "run.json": head_text(it),
        "imported.json": head_text(imported),
        "stages.jsonl": stages_text([train]),
        "metrics.jsonl": steps_text(steps),
        "artifacts.jsonl": artifacts_text(files),
        name: event_text(tag),
    }


@pytest.mark.parametrize("row", ["{", "[]", '{"kind":"plot"}', "null"])
def test_what_is_no_artifact_is_an_error_that_names_the_line(row: str) -> None:
    good = artifacts_text([Artifact("plot", "a", None, "md5:" + "0" * 32, 1)])
    with pytest.raises(ConfigError, match=r"artifacts\.jsonl:2"):
        parse_artifacts(good + row + "\n", name="artifacts.jsonl")


@pytest.mark.parametrize(
    "name",
    ["password", "db.password", "dbPassword", "hf_token", "AWS_SECRET_ACCESS_KEY", "apiKey"],
)
def test_a_name_says_that_its_value_is_a_secret(name: str) -> None:
    assert hidden(name, "x") == "***"
    assert hidden("", {"of": {name: "x"}}) == {"of": {name: "***"}}


@pytest.mark.parametrize("name", ["max_tokens", "pad_token", "tokenizer", "key", "eos_token", "lr"])
def test_other_names_do_not(name: str) -> None:
    assert hidden(name, "x") == "x"


def test_a_number_of_tokens_is_no_secret() -> None:
    values = {"max_token": 512, "token": True, "password": 12345, "secret": None}
    assert hidden("", values) == {**values, "password": "***"}
