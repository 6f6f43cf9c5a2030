import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.adapters import yaml
from mlctl.errors import ConfigError
from mlctl.outputs.values import Change, FileValues, compare, flatten, metrics_only, named, parse


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("p.yaml", "lr: 0.1\ntrain: {depth: 3}\n"),
        ("p.json", '{"lr": 0.1, "train": {"depth": 3}}'),
        ("p.toml", "lr = 0.1\n[train]\ndepth = 3\n"),
        ("p.py", "lr = 0.1\nclass train:\n    depth = 3\n"),
        ("metrics", "lr: 0.1\ntrain: {depth: 3}\n"),
    ],
)
def test_every_format_gives_the_same_data(key: str, text: str) -> None:
    assert parse(text, key, yaml.load) == {"lr": 0.1, "train": {"depth": 3}}


@pytest.mark.parametrize(("key", "line"), [("m.json", 2), ("m.yaml", 2), ("m.toml", 2)])
def test_what_does_not_parse_names_file_and_line(key: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse('{"a": 1,\n ]', key, yaml.load)
    assert caught.value.file == key


def test_metrics_are_numbers_and_words() -> None:
    data = {"auc": 0.5, "curve": [1, 2], "n": {"z": 0, "none": None, "empty": {}}, "s": "x"}
    assert metrics_only(data) == {"auc": 0.5, "n": {"z": 0}, "s": "x"}
    assert metrics_only(0) == 0
    assert metrics_only(None) == metrics_only([1]) == {}


def test_named_parts_stay_nested() -> None:
    data = {"a": {"b": 1, "c": {"d": 2}}, "x.y": {"z": 3}, "l": [4, 5], "e": 6}
    assert named(data, ["a.c.d", "x.y.z", "nothing", "a.b"]) == {
        "a": {"c": {"d": 2}, "b": 1},
        "x.y": {"z": 3},
    }
    assert named(data, ["l.1"]) == {"l.1": 5}
    assert named(data, []) is data
    assert data["a"] == {"b": 1, "c": {"d": 2}}


def test_compare_tells_old_new_and_difference() -> None:
    old = [FileValues("m.json", {"auc": 0.5, "gone": 1, "same": 2, "nan": math.nan, "b": True})]
    new = [
        FileValues("m.json", {"auc": 0.75, "same": 2, "nan": math.nan, "b": False, "l": [1]}),
        FileValues("x.yaml", 3),
        FileValues("broken.json", error="no"),
    ]
    changes = compare(old, new)
    assert changes == [
        Change("m.json", "auc", 0.5, 0.75),
        Change("m.json", "b", True, False),
        Change("m.json", "gone", 1, None),
        Change("m.json", "l", None, "[1]"),
        Change("x.yaml", "", None, 3),
    ]
    assert [change.diff for change in changes] == [0.25, None, None, None, None]
    everything = compare(old, new, unchanged=True)
    assert {c.name for c in everything if not c.changed} == {"same", "nan"}


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.text("abc", min_size=1, max_size=3)
TABLES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | LEAVES, max_size=3),
    max_leaves=10,
)


@given(TABLES, TABLES)
@settings(max_examples=80, deadline=None)
def test_comparing_is_symmetric_and_nothing_differs_from_itself(old: dict, new: dict) -> None:  # type: ignore[type-arg]
    a, b = [FileValues("f", old)], [FileValues("f", new)]
    assert compare(a, a) == []
    there = {(c.name, repr(c.old), repr(c.new)) for c in compare(a, b)}
    back = {(c.name, repr(c.new), repr(c.old)) for c in compare(b, a)}
    assert there == back
    assert len(compare(a, b, unchanged=True)) == len({*flatten(old), *flatten(new)})


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_every_name_that_flatten_gives_can_be_asked_for(data: dict) -> None:  # type: ignore[type-arg]
    flat = {name: value for name, value in flatten(data).items() if value is not None}
    for name, value in flat.items():
        assert json.dumps(flatten(named(data, [name]))) == json.dumps({name: value})
