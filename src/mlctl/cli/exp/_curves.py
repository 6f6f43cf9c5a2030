"""Curves in the terminal: charts of braille dots with axes, beside one another where there is room.

Without colours, a chart of several curves is drawn in letters, which its legend explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlctl.cli._output import styled
from mlctl.cli._text import clip
from mlctl.reports.braille import ACROSS, DOWN, Canvas
from mlctl.reports.scales import (
    Scale,
    duration,
    duration_ticks,
    extent,
    nice_extent,
    short,
    tick_labels,
    ticks,
)

COLOURS = ("36", "33", "32", "35", "34", "31", "96", "93", "92", "95", "94", "91")
_LETTERS = "•ox+*#%@abcd"
_TWO_COLUMNS = 120  # characters, from which on two charts stand beside one another
_NARROWEST = 40  # characters; on a terminal that is narrower, lines break
_GAP = 3
_TICK_ROOM = 2  # characters between two labels of the x axis

Row = list[tuple[str, str]]  # pieces of a line, each with its ANSI style


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; `series` says which colour and letter it has in every chart."""

    series: int
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """The curves of one metric. `note` stands behind the title."""

    title: str
    lines: Sequence[Line]
    note: str = ""


def chart_lines(
    charts: Sequence[Chart], *, width: int, height: int, x_name: str, several: bool
) -> list[str]:
    """The charts, each `height` rows and three lines, as they are printed.

    `x_name` is `step` or `time`; `several` says that there are curves to be told apart.
    """
    letters = _LETTERS if several and styled("x", "1") == "x" else None
    across = 2 if len(charts) > 1 and width >= _TWO_COLUMNS else 1
    width = max(width, _NARROWEST)
    each = (width - _GAP * (across - 1)) // across
    drawn = [_drawn(chart, each, height, x_name, letters) for chart in charts]
    lines: list[str] = []
    for first in range(0, len(drawn), across):
        beside = drawn[first : first + across]
        lines += [_text(rows, each) for rows in zip(*beside, strict=True)] + [""]
    return lines


def legend_lines(names: Sequence[str], *, width: int) -> list[str]:
    """Which colour, or letter, is whose."""
    letters = styled("x", "1") == "x"
    return [
        f"{styled(_letter(series) if letters else '━━', colour(series))} {clip(name, width - 3)}"
        for series, name in enumerate(names)
    ]


def colour(series: int) -> str:
    """The ANSI style of a series."""
    return COLOURS[series % len(COLOURS)]


def _letter(series: int) -> str:
    return _LETTERS[series % len(_LETTERS)]


def _text(rows: Sequence[Row], width: int) -> str:
    """Rows beside one another, all but the last filled up to `width`."""
    parts = []
    for row in rows:
        parts.append("".join(styled(text, style) if style else text for text, style in row))
        parts.append(" " * (width - sum(len(text) for text, _ in row) + _GAP))
    return "".join(parts[:-1]).rstrip()


def _drawn(chart: Chart, width: int, height: int, x_name: str, letters: str | None) -> list[Row]:
    title: Row = [(clip(chart.title, width), "1")]
    room = width - len(title[0][0]) - 2
    if chart.note and room > 6:
        title += [("  ", ""), (clip(chart.note, room), "2")]
    values = [y for line in chart.lines for y in line.y if math.isfinite(y)]
    if not values:
        return [title, [("no values to draw", "2")], *[[] for _ in range(height + 1)]]
    low, high = nice_extent(*extent(values))
    marks = ticks(low, high, max(height // 3, 2))
    names = tick_labels(marks)
    left = max(map(len, names))
    across = [x for line in chart.lines for x in line.x]
    x = Scale(*extent(across), 0, (width - left - 2) * ACROSS - 1)
    y = Scale(low, high, height * DOWN - 1, 0)
    canvas = Canvas(width - left - 2, height)
    for line in chart.lines:
        for piece in _pieces(line):
            canvas.draw([(x(a), y(b)) for a, b in piece], line.series)
    labels = {int(y(mark)) // DOWN: name for mark, name in zip(marks, names, strict=True)}
    series = [_letter(at) for at in range(1 + max(it.series for it in chart.lines))]
    rows = [
        [_edge(labels.get(at, ""), left, bool(labels.get(at))), *_coloured(cells)]
        for at, cells in enumerate(canvas.rows(series if letters else None))
    ]
    return [title, *rows, *_x_axis(x, left, width, x_name)]


def _edge(label: str, left: int, marked: bool) -> tuple[str, str]:
    return (f"{label.rjust(left)} {'┤' if marked else '│'}", "2")


def _coloured(cells: Sequence[tuple[str, int | None]]) -> Row:
    """The cells, those of one series that stand together as one piece."""
    row: Row = []
    for character, series in cells:
        style = "" if series is None else colour(series)
        if row and row[-1][1] == style:
            row[-1] = (row[-1][0] + character, style)
        else:
            row.append((character, style))
    return row


def _x_axis(x: Scale, left: int, width: int, x_name: str) -> list[Row]:
    """The line below the chart, and the labels below its marks."""
    room = width - left - 2
    about = max(room // 14, 2)
    if x_name == "time":
        marks = [mark for mark in duration_ticks(x.high, about) if mark >= x.low]
        names = [duration(mark) for mark in marks]
    else:
        marks = ticks(x.low, x.high, about)
        names = tick_labels(marks)
    line, labels = ["─"] * room, [" "] * (room + left + 2)
    labels[-len(x_name) :] = x_name
    free, end = 0, len(labels) - len(x_name) - _TICK_ROOM
    for mark, name in zip(marks, names, strict=True):
        cell = int(x(mark)) // ACROSS
        start = max(cell + left + 2 - len(name) // 2, 0)
        if free <= start <= end - len(name):
            line[cell] = "┬"
            labels[start : start + len(name)] = name
            free = start + len(name) + _TICK_ROOM
    return [[(" " * left + " └" + "".join(line), "2")], [("".join(labels), "2")]]


def _pieces(line: Line) -> list[list[tuple[float, float]]]:
    """The points of a curve, broken where a value is not finite."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(line.x, line.y, strict=True):
        if math.isfinite(y) and math.isfinite(x):
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def value_note(values: Sequence[float]) -> str:
    """`last 0.912 · min 0.4 · max 0.93` of one curve."""
    finite = [value for value in values if math.isfinite(value)]
    if not values or not finite:
        return ""
    return f"last {short(values[-1])} · min {short(min(finite))} · max {short(max(finite))}"
