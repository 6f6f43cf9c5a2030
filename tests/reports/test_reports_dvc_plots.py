"""DVC's plot options, as DVC's own converter understands them."""

from __future__ import annotations

import json

import pytest
from dvc.render.converter.vega import VegaConverter, get_datapoints
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.reports.dvc_plots import (
    Definition,
    _curves,
    definitions,
    draw,
    parse_separated,
    rows_of,
)

ROWS = [{"step": at, "train": 1 / (at + 1), "valid": 1.2 / (at + 1)} for at in range(5)]
OTHER = [{"it": at * 2, "f1": at / 5} for at in range(5)]
TABLES = {"plots/a.csv": ROWS, "plots/b.json": OTHER}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"y": "train"},
        {"x": "step", "y": ["train", "valid"]},
        {"x": "step"},
        {"x": "step", "y": {"plots/a.csv": ["train", "valid"]}},
        {"y": {"plots/a.csv": "train", "plots/b.json": "f1"}},
        {"x": {"plots/a.csv": "step"}, "y": {"plots/a.csv": "train", "plots/b.json": "f1"}},
        {"x": {"plots/a.csv": "step", "plots/b.json": "it"},
         "y": {"plots/a.csv": "train", "plots/b.json": "f1"}},
        {"x": {"plots/b.json": "it"}, "y": {"plots/a.csv": "valid"}, "x_label": "X",
         "y_label": "Y"},
    ],
)  # fmt: skip
def test_x_and_y_are_dvcs(options: dict[str, object]) -> None:
    plot = Definition("plots/a.csv", options)
    tables = {key: TABLES[key] for key in plot.files}
    points, properties = VegaConverter("plots/a.csv", dict(tables), dict(options)).flat_datapoints(
        "r"
    )
    expected = [(p[properties["x"]], p[properties["y"]]) for p in points]
    found = [pair for c in _curves(plot, tables) for pair in zip(c.x, c.y, strict=True)]
    assert found == expected
    drawing = draw(plot, tables)
    assert f">{properties['x_label']}</text>" in drawing
    assert f">{properties['y_label'] or 'valid'}</text>" in drawing


LISTS = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), min_size=1), min_size=1, max_size=3
).filter(lambda rows: len({tuple(sorted(row)) for row in rows}) == 1)
NESTED = st.recursive(
    LISTS, lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, min_size=1), max_leaves=4
)


@given(NESTED)
@settings(max_examples=50, deadline=None)
def test_rows_in_json_are_dvcs(data: object) -> None:
    assert rows_of(json.loads(json.dumps(data))) == get_datapoints(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", ["confusion", "confusion_normalized"])
def test_confusion_counts_pairs(template: str) -> None:
    rows = [{"actual": a, "predicted": p} for a, p in ["xx", "xx", "xy", "yy", "zz"]]
    plot = Definition("c.csv", {"x": "predicted", "y": "actual", "template": template})
    drawing = draw(plot, {"c.csv": rows})
    assert (
        "<title>x / x: 67%</title>" if "norm" in template else "<title>x / x: 2</title>"
    ) in drawing
    assert "<title>z / x: 0" in drawing
    assert drawing.count("<title>") == 9


def test_bars_take_the_name_from_y() -> None:
    rows = [{"gain": "1.5", "feature": "age"}, {"gain": "4", "feature": "<b>"}]
    options = {"x": "gain", "y": "feature", "template": "bar_horizontal_sorted"}
    drawing = draw(Definition("i.csv", options), {"i.csv": rows})
    assert drawing.index("&lt;b&gt;: 4") < drawing.index("age: 1.5")


def test_scatter_and_names_on_x() -> None:
    rows = [{"m": "jan", "v": 1.0}, {"m": "feb", "v": 2.0}]
    assert draw(Definition("a.csv", {"x": "m"}), {"a.csv": rows}).count("<circle") == 2
    assert ">jan</text>" in draw(Definition("a.csv", {"x": "m"}), {"a.csv": rows})
    numbers = [{"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 1.0}]
    plot = Definition("a.csv", {"x": "a", "y": "b", "template": "scatter"})
    assert draw(plot, {"a.csv": numbers}).count("<circle") == 2


@pytest.mark.parametrize(
    ("options", "rows", "says"),
    [
        ({"y": "nope"}, [{"a": 1}], "has no field 'nope'; there are: a"),
        ({"x": "nope"}, [{"a": 1}], "has no field 'nope'"),
        ({}, [], "no rows"),
        ({"y": "a", "x": {"p.csv": ["a", "a"]}}, [{"a": 1}], "do not fit together"),
    ],
)
def test_what_cannot_be_drawn_says_why(
    options: dict[str, object], rows: list[object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        draw(Definition("p.csv", options), {"p.csv": rows})  # type: ignore[dict-item]


def test_top_level_definitions_and_their_files() -> None:
    entries = [
        "a.csv",
        {"b.csv": None},
        {"Loss": {"y": {"c.csv": "l"}, "x": {"d.csv": "s"}, "title": "T"}},
    ]
    found = list(definitions(entries, "sub"))
    assert [plot.files for plot in found] == [
        ("sub/a.csv",),
        ("sub/b.csv",),
        ("sub/c.csv", "sub/d.csv"),
    ]
    assert [plot.title for plot in found] == ["a.csv", "b.csv", "T"]


def test_separated_values() -> None:
    assert parse_separated('a,b\n1,"x, y"\n\n', tabs=False) == [{"a": "1", "b": "x, y"}]
    assert parse_separated("1\t2\n3\t4\n", tabs=True, header=False) == [
        {"0": "1", "1": "2"},
        {"0": "3", "1": "4"},
    ]
    assert parse_separated("", tabs=False) == []
