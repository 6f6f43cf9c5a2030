"""`monitors/<name>.yaml`: what is read, and how an error names its place."""

from __future__ import annotations

import pytest

from mlctl.errors import ConfigError, InvalidInput
from mlctl.monitoring.spec import MonitorSpec, Thresholds, monitor_file, parse_monitor

LEAST = """\
schema: mlctl.monitor/1
reference: {path: data/train.parquet}
current: {path: data/new/*.parquet}
"""


def test_the_least_monitor_takes_the_documented_defaults() -> None:
    spec = parse_monitor(LEAST, name="inputs")
    assert spec == MonitorSpec("inputs", "data/train.parquet", "data/new/*.parquet")
    assert spec.thresholds == Thresholds(q=0.05, effect=0.1, missing=0.05, share=None)
    assert (spec.min_rows, spec.fail_on) == (30, "never")


def test_everything_can_be_said() -> None:
    text = LEAST + (
        "time: day\ncolumns:\n  include: [age, 'f*']\n  exclude: [f9]\n"
        "thresholds: {q: 0.01, effect: 0.2, missing: 0.1, share: 0.3}\n"
        "min_rows: 100\nfail_on: drift\n"
    )
    spec = parse_monitor(text, name="inputs")
    assert (spec.time, spec.include, spec.exclude) == ("day", ("age", "f*"), ("f9",))
    assert spec.thresholds == Thresholds(0.01, 0.2, 0.1, 0.3)
    assert (spec.min_rows, spec.fail_on) == (100, "drift")


@pytest.mark.parametrize(
    ("more", "where", "line", "says"),
    [
        ("threshold: {q: 1}\n", "threshold", 4, "unknown key"),
        ("thresholds:\n  q: 0.1\n  effekt: 0.2\n", "thresholds.effekt", 6, "unknown key"),
        ("thresholds:\n  q: 5\n", "thresholds.q", 5, "above 0 and up to 1"),
        ("thresholds:\n  q: no\n", "thresholds.q", 5, "above 0 and up to 1"),
        ("columns:\n  exclude:\n  - a\n  - 3\n", "columns.exclude[1]", 7, "expected a text"),
        ("columns: [a]\n", "columns", 4, "expected a mapping"),
        ("columns: {include: a}\n", "columns.include", 4, "a list of column names"),
        ("min_rows: 0\n", "min_rows", 4, "a whole number"),
        ("min_rows: true\n", "min_rows", 4, "a whole number"),
        ("fail_on: warn\n", "fail_on", 4, "expected one of never, drift, got 'warn'"),
        ("time: [a]\n", "time", 4, "expected a text"),
    ],
)
def test_errors_name_path_and_line(more: str, where: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse_monitor(LEAST + more, name="inputs")
    error = caught.value
    assert (error.file, error.where, error.line) == ("monitors/inputs.yaml", where, line)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected a mapping"),
        ("- a\n", "expected a mapping"),
        ("reference: {path: a.csv}\ncurrent: {path: b.csv}\n", "the schema is missing"),
        (LEAST.replace("monitor/1", "monitor/2"), "newer than this mlctl"),
        (LEAST.replace("monitor/1", "contract/1"), "the schema is 'mlctl.contract/1'"),
        (LEAST.replace("data/train", "/data/train"), "outside of the repository"),
        (LEAST.replace("data/train", "../train"), "outside of the repository"),
        (LEAST.replace("current: {path: data/new/*.parquet}\n", ""), "'current' is missing"),
        (LEAST.replace("{path: data/train.parquet}", "{}"), "'path' is missing"),
        (LEAST + "min_rows: 1\nmin_rows: 2\n", "not valid YAML"),
    ],
)
def test_what_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_monitor(text, name="inputs")


def test_a_close_key_is_suggested() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_monitor(LEAST + "treshholds: {}\n", name="inputs")
    assert caught.value.hint == "did you mean 'thresholds'?"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b"])
def test_hostile_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no name of a monitor"):
        monitor_file(name)
