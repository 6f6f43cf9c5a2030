"""`meta.mlctl`: what it may say, and how it refuses the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlctl.errors import ConfigError
from mlctl.pipeline.settings import memory_bytes, parse, seconds
from mlctl.pipeline.spec import Each, Settings
from mlctl.records.source import Source

SOURCE = Source("dvc.yaml", lambda path: 10 + len(path))
PATH = ("stages", "train", "meta")


@pytest.mark.parametrize("meta", [None, "free text", 3, [], {}, {"owner": "me"}, {"mlctl": {}}])
def test_other_meta_is_fine(meta: Any) -> None:
    assert parse(meta, SOURCE, PATH) == Settings()


def test_reads_everything() -> None:
    given = {
        "on": "gpu",
        "cpus": 4,
        "gpus": 1,
        "memory": "16G",
        "timeout": "1h30m",
        "retries": 2,
        "mutex": ["db", "disk", "db"],
        "env": {"OMP_NUM_THREADS": 4, "DEBUG": True, "RATE": 0.5, "NAME": "x"},
        "env_from": ["TOKEN"],
        "each": {"jobs": 3, "keep_going": True},
    }
    assert parse({"mlctl": given, "other": 1}, SOURCE, PATH) == Settings(
        on="gpu",
        cpus=4,
        gpus=1,
        memory=16 * 1024**3,
        timeout=5400.0,
        retries=2,
        mutex=("db", "disk"),
        env={"OMP_NUM_THREADS": "4", "DEBUG": "true", "RATE": "0.5", "NAME": "x"},
        env_from=("TOKEN",),
        each=Each(jobs=3, keep_going=True),
    )


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("16G", 16 * 1024**3),
        ("512MiB", 512 * 1024**2),
        ("1.5GiB", 3 * 512 * 1024**2),
        ("2GB", 2_000_000_000),
        ("64k", 65536),
        ("1 T", 1024**4),
        ("100B", 100),
        ("100", 100),
        (4096, 4096),
    ],
)
def test_reads_memory(text: Any, amount: int) -> None:
    assert memory_bytes(text) == amount


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2h", 7200),
        ("90s", 90),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1h 5s", 3605),
        ("0.5s", 0.5),
        (30, 30),
        (1.5, 1.5),
    ],
)
def test_reads_time(text: Any, span: float) -> None:
    assert seconds(text) == span


@pytest.mark.parametrize(
    ("given", "where", "words", "hint"),
    [
        ({"cpu": 1}, ".cpu", "unknown key 'cpu'", "did you mean 'cpus'"),
        ({"nonsense": 1}, ".nonsense", "unknown key", "known: on, cpus"),
        ({"eahc": {}}, ".eahc", "unknown key", "did you mean 'each'"),
        ({"each": "x"}, ".each", "expected a mapping, got a string", "each: {jobs: 4"),
        ({"each": {"jbos": 1}}, ".each.jbos", "unknown key 'jbos'", "did you mean 'jobs'"),
        ({"each": {"jobs": 0}}, ".each.jobs", "at least 1, got 0", "jobs: 4"),
        ({"each": {"jobs": True}}, ".each.jobs", "whole number", "jobs: 4"),
        ({"each": {"keep_going": "no"}}, ".each.keep_going", "true or false, got 'no'", "each"),
        ({"each": {"over": "in"}}, ".each.over", "stands in the stage's cmd", "each --over images"),
        ({"each": {"out": "out"}}, ".each.out", "decides what is written", "each --out thumbs"),
        ({"each": {"name": "x"}}, ".each.name", "decides what is written", "--name '{stem}.png'"),
        ({"cpus": 0}, ".cpus", "at least 1", "cpus: 4"),
        ({"cpus": True}, ".cpus", "at least 1", "cpus"),
        ({"cpus": "4"}, ".cpus", "got '4'", "cpus"),
        ({"gpus": -1}, ".gpus", "at least 0", "gpus"),
        ({"retries": 1.5}, ".retries", "whole number", "retries"),
        ({"memory": "16X"}, ".memory", "amount of memory, got '16X'", "16G"),
        ({"memory": 0}, ".memory", "amount of memory", "16G"),
        ({"memory": True}, ".memory", "amount of memory", "16G"),
        ({"timeout": "soon"}, ".timeout", "span of time", "1h30m"),
        ({"timeout": "0s"}, ".timeout", "above zero", "90s"),
        ({"timeout": "-5s"}, ".timeout", "span of time", "90s"),
        ({"timeout": ""}, ".timeout", "span of time", "90s"),
        ({"timeout": float("inf")}, ".timeout", "span of time", "90s"),
        ({"timeout": "30m1h"}, ".timeout", "span of time", "90s"),
        ({"on": 3}, ".on", "name of a host", "gpu"),
        ({"mutex": [1]}, ".mutex[0]", "name or a list", "db"),
        ({"mutex": ""}, ".mutex", "name or a list", "db"),
        ({"env": [1]}, ".env", "mapping", "OMP_NUM_THREADS"),
        ({"env": {"A": None}}, ".env.A", "strings and numbers", "OMP"),
        ({"env": {"A-B": 1}}, ".env.A-B", "letters, digits", "OMP"),
        ({"env_from": ["A B"]}, ".env_from.A B", "letters, digits", "OMP"),
        ("x", "", "expected a mapping, got a string", None),
        (None, "", "expected a mapping, got nothing", None),
    ],
)
def test_refuses_with_place_and_advice(
    given: Any, where: str, words: str, hint: str | None
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"mlctl": given}, SOURCE, PATH)
    error = caught.value
    assert words in error.message
    assert (error.file, error.where) == ("dvc.yaml", f"stages.train.meta.mlctl{where}")
    assert error.line is not None
    assert error.exit_code == 2
    assert hint is None or hint in (error.hint or "")


@given(st.text(max_size=8) | st.floats() | st.integers() | st.none() | st.booleans())
def test_any_value_is_read_or_refused(value: Any) -> None:
    for key in ("memory", "timeout", "cpus", "mutex", "on", "env", "env_from", "each"):
        try:
            settings = parse({"mlctl": {key: value}}, SOURCE, PATH)
        except ConfigError:
            continue
        assert getattr(settings, key) is not None
