"""Plots: well-formed SVG inside its frame, whatever the data are."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.reports import plots, scales, svg
from mlctl.reports.plots import Series, Task

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
NAMES = st.text(max_size=30)


def inside(drawing: str) -> ET.Element:
    """The drawing as XML; every mark must lie within it."""
    root = ET.fromstring(drawing)
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    for mark in root.iter():
        for key, most in (("x", width), ("cx", width), ("x1", width), ("x2", width)):
            assert -1 <= float(mark.attrib.get(key, 0)) <= most + 1, (mark.tag, mark.attrib)
        for key, most in (("y", height), ("cy", height), ("y1", height), ("y2", height)):
            assert -1 <= float(mark.attrib.get(key, 0)) <= most + 1, (mark.tag, mark.attrib)
        if mark.tag == f"{SVG}path":
            points = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", mark.attrib["d"])]
            assert all(-1 <= n <= max(width, height) + 1 for n in points)
        assert "nan" not in " ".join(v.lower() for k, v in mark.attrib.items() if k != "aria-label")
    return root


@given(st.lists(st.tuples(NAMES, st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12)), max_size=4))
@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("draw", [plots.lines, plots.scatter])
def test_any_series_can_be_drawn(
    draw: Callable[..., str], data: list[tuple[str, list[tuple[float | None, float | None]]]]
) -> None:
    series = [Series(name, [x for x, _ in points], [y for _, y in points]) for name, points in data]
    inside(draw(series, x_label="<x>", y_label="&y", title="t"))


@given(st.lists(st.tuples(NAMES, st.floats(allow_nan=True, allow_infinity=True)), max_size=50))
@settings(max_examples=60, deadline=None)
def test_any_bars_can_be_drawn(pairs: list[tuple[str, float]]) -> None:
    inside(plots.bars([name for name, _ in pairs], [value for _, value in pairs], value_label="v"))


@given(
    st.integers(0, 8).flatmap(
        lambda k: st.tuples(
            st.lists(NAMES, min_size=k, max_size=k),
            st.lists(st.floats(0, 1), min_size=k, max_size=k),
            st.lists(st.floats(0, 1), min_size=k, max_size=k),
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_any_distributions_can_be_drawn(data: tuple[list[str], list[float], list[float]]) -> None:
    names, reference, current = data
    inside(plots.distributions(names, reference, current, x_label="x"))
    if names:
        inside(plots.small_distributions(reference, current, ends=(names[0], names[-1])))


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_heat_table_can_be_drawn(values: list[list[float | None]]) -> None:
    rows = [f"row {at} <&>" for at in range(len(values))]
    inside(plots.heat(rows, ["a", "b", "c" * 90], values, x_label="x", y_label="y"))


@given(st.lists(st.tuples(NAMES, st.floats(0, 1e6), st.floats(0, 1e6)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_timeline_can_be_drawn(data: list[tuple[str, float, float]]) -> None:
    root = inside(plots.gantt([Task(n, s, d, "failed") for n, s, d in data]))
    bars = list(root.iter(f"{SVG}rect"))
    assert len(bars) == len(data)


def test_marks_stand_where_the_data_say() -> None:
    root = inside(plots.lines([Series("a", [0, 1, 2], [0.0, 5.0, 10.0])]))
    dots = [(float(d.attrib["cx"]), float(d.attrib["cy"])) for d in root.iter(f"{SVG}circle")]
    assert len(dots) == 3
    (x0, y0), (x1, y1), (x2, y2) = dots
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.02)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.02)
    assert y0 > y2, "larger values stand higher"


def test_a_missing_value_is_a_gap() -> None:
    (path,) = inside(plots.lines([Series("a", [0, 1, 2, 3], [1.0, 2.0, None, 3.0])])).iter(
        f"{SVG}path"
    )
    assert path.attrib["d"].count("M") == 2


def test_a_legend_only_where_there_are_several() -> None:
    def texts(names: list[str]) -> set[str | None]:
        drawing = plots.lines([Series(name, [0, 1], [1, 2]) for name in names])
        return {text.text for text in inside(drawing).iter(f"{SVG}text")}

    assert {"train", "valid"} <= texts(["train", "valid"])
    assert "train" not in texts(["train"])


def test_long_lines_are_thinned_and_keep_their_spikes() -> None:
    values = [math.sin(at / 50) for at in range(20_000)]
    values[12_345] = 99.0
    drawing = plots.lines([Series("a", list(range(20_000)), values)])
    assert len(drawing) < 12_000
    (path,) = inside(drawing).iter(f"{SVG}path")
    heights = [float(y) for y in re.findall(r" (-?[\d.]+)", path.attrib["d"])]
    assert min(heights) < 20, "the spike reaches the top"


def test_bars_have_lengths_in_proportion() -> None:
    rects = list(inside(plots.bars(["a", "b"], [10.0, 5.0])).iter(f"{SVG}rect"))
    widths = [float(rect.attrib["width"]) for rect in rects]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)


def test_many_series_take_other_dashes() -> None:
    series = [Series(str(at), [0, 1], [at, at]) for at in range(9)]
    paths = list(inside(plots.lines(series)).iter(f"{SVG}path"))
    looks = {(p.attrib["stroke"], p.attrib.get("stroke-dasharray")) for p in paths}
    assert len(looks) == 9


@pytest.mark.parametrize("palette", [svg.PALETTE, svg.PALETTE_DARK])
def test_colours_differ_in_lightness_or_hue_and_show_on_their_paper(
    palette: tuple[str, ...],
) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    paper = luminance("#ffffff") if palette is svg.PALETTE else luminance("#1b1f26")
    for colour in palette:
        low, high = sorted((luminance(colour), paper))
        assert (high + 0.05) / (low + 0.05) >= 1.9
    assert len(set(palette)) == len(palette) == 8


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (-3, 7, [-2, 0, 2, 4, 6]),
        (0.0001, 0.0005, [0.0001, 0.0002, 0.0003, 0.0004, 0.0005]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert scales.ticks(low, high) == pytest.approx(expected)


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12))
@settings(max_examples=100, deadline=None)
def test_ticks_lie_within_and_their_labels_differ(low: float, size: float) -> None:
    low, high = scales.extent([low, low + size])
    found = scales.ticks(low, high)
    slack = (high - low) * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert 1 <= len(found) <= 12


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.421, "0.42s"), (12.34, "12.3s"), (59.96, "1m 00s"), (125, "2m 05s"),
     (7380, "2h 03m"), (100_000, "1d 03h"), (None, "–")],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert scales.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.1235"), (3, "3"), (1234567, "1\u202f234\u202f567"), (1.2e-7, "1.20e-07"),
     (None, "–"), (float("nan"), "nan"), (-0.0, "0")],
)  # fmt: skip
def test_short_numbers(value: float | None, text: str) -> None:
    assert scales.short(value) == text


def test_long_texts_are_cut_in_their_middle() -> None:
    cut = scales.fit("a" * 40 + "z" * 40, 100)
    assert cut.startswith("a")
    assert cut.endswith("z")
    assert "…" in cut
    assert scales.text_width(cut) <= 100
    assert scales.fit("short", 100) == "short"
