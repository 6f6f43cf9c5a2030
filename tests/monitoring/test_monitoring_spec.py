"""`monitors/<name>.yaml`: what is read, and how an error names its place."""

from __future__ import annotations

import pytest

from mlctl.errors import ConfigError, InvalidInput
from mlctl.monitoring.parse import monitor_file, parse_monitor
from mlctl.monitoring.spec import Limits, MonitorSpec, ReferenceSpec, Thresholds, Where

LEAST = """\
schema: mlctl.monitor/1
reference: {path: data/train.parquet}
current: {path: data/new/*.parquet}
"""


def test_the_least_monitor_takes_the_documented_defaults() -> None:
    spec = parse_monitor(LEAST, name="inputs")
    assert spec == MonitorSpec(
        "inputs",
        Where(path="data/new/*.parquet"),
        ReferenceSpec(where=Where(path="data/train.parquet")),
    )
    assert spec.thresholds == Thresholds(q=0.005, effect=0.1, missing=0.05, new=0.05, share=None)
    assert (spec.min_rows, spec.fail_on) == (100, "never")


def test_everything_can_be_said() -> None:
    text = LEAST + (
        "time: day\ncolumns:\n  include: [age, 'f*']\n  exclude: [f9]\n"
        "thresholds: {q: 0.01, effect: 0.2, missing: 0.1, share: 0.3}\n"
        "min_rows: 100\nfail_on: drift\n"
    )
    spec = parse_monitor(text, name="inputs")
    assert (spec.time, spec.include, spec.exclude) == ("day", ("age", "f*"), ("f9",))
    assert spec.thresholds == Thresholds(0.01, 0.2, 0.1, share=0.3)
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
        ("columns: {include: a}\n", "columns.include", 4, "a list of names"),
        ("min_rows: 0\n", "min_rows", 4, "a whole number"),
        ("min_rows: true\n", "min_rows", 4, "a whole number"),
        (
            "fail_on: warn\n",
            "fail_on",
            4,
            "expected one of never, drift, degraded, alarm, got 'warn'",
        ),
        ("time: [a]\n", "time", 4, "expected a text"),
        ("every: fortnight\n", "every", 4, 'hour, day, week, month or "1000 rows"'),
        ("every: day\n", "every", 4, "needs `time`"),
        ("zone: Mars/Base\n", "zone", 4, "no time zone is called 'Mars/Base'"),
        ("metrics: [ks, kz]\n", "metrics[1]", 4, "no drift metric is called 'kz'"),
        ("joint: [pcb]\n", "joint[0]", 4, "no joint test is called 'pcb'"),
        (
            "slices: [{name: a, where: 'age >'}]\n",
            "slices[0].where",
            4,
            "expected a value at the end",
        ),
        ("columns: {kinds: {a: number}}\n", "columns.kinds.a", 4, "one of numeric"),
        ("labels: {column: y, wait: soon}\n", "labels.wait", 4, "a duration such as 12h"),
        ("performance: {task: ranking}\n", "performance.task", 4, "one of classification"),
        ("performance: {task: regression}\n", "performance", 4, "needs `predictions`"),
        (
            "performance: {task: regression, metrics: [f1]}\n",
            "performance.metrics[0]",
            4,
            "no metric of regression is called",
        ),
        ("alarm: {after: 3, of: 2}\n", "alarm", 4, "can never be bad"),
        ("alerts: [{slack: 'https://x'}]\n", "alerts[0].slack", 4, "name of an environment"),
        ("alerts: [{pager: A}]\n", "alerts[0].pager", 4, "unknown key 'pager'"),
        ("retrain: {cooldown: 7d}\n", "retrain.run", 4, "the stages to run"),
        ("compat: sklearn\n", "compat", 4, "one of evidently, nannyml"),
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


def test_every_part_can_be_said() -> None:
    text = """\
schema: mlctl.monitor/1
current: {log: logs/*.jsonl}
reference: {before: 4}
every: week
zone: Asia/Tokyo
season: month
slices: [country, {name: seniors, where: "age >= 60"}]
metrics: [psi, hellinger]
joint: [pca, domain_classifier]
columns: {kinds: {zip: categorical}}
labels: {path: labels.csv, key: id, column: y, time: known, wait: 30d}
performance: {task: classification, metrics: [f1], limits: {f1: {least: 0.8, drop: 0.05}}}
thresholds: {learned: true, metrics: {psi: 0.2}, columns: {age: {effect: 0.3}}}
skew: {path: train.csv, key: id}
feedback: {path: train.csv, target: y}
alarm: {after: 2, of: 3}
alerts: [{slack: SLACK}, {mail: SMTP, to: [a@example.org]}]
retrain: {run: [train], cooldown: 2w, budget: 2, metrics: m.json, metric: auc}
"""
    spec = parse_monitor(text, name="m")
    assert spec.current.log
    assert (spec.reference.before, spec.every.unit, spec.season) == (4, "week", "month")
    assert [(s.column, s.name) for s in spec.slices] == [("country", ""), ("", "seniors")]
    assert spec.labels is not None
    assert spec.labels.wait == 30 * 86_400
    assert spec.performance is not None
    assert spec.performance.limits["f1"].drop == 0.05
    assert spec.thresholds.columns == {"age": Limits(effect=0.3)}
    assert [(c.kind, c.url_env, c.to) for c in spec.alerts] == [
        ("slack", "SLACK", ()),
        ("mail", "SMTP", ("a@example.org",)),
    ]
    assert spec.retrain is not None
    assert (spec.retrain.cooldown, spec.retrain.budget) == (1_209_600, 2)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("{path: a, before: 2}", "path and before exclude one another"),
        ("{}", "'reference' is missing"),
        ("{before: 2}", "there is one period only"),
        ("{sql: select 1}", "'url' is missing"),
        ("{model: ../m}", "outside of the repository"),
    ],
)
def test_what_is_compared_with(reference: str, says: str) -> None:
    text = LEAST.replace("{path: data/train.parquet}", reference)
    with pytest.raises(ConfigError, match=says):
        parse_monitor(text, name="m")
