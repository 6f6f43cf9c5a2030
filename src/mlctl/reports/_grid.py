"""A table of coloured cells, and stages along time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from mlctl.reports._xy import nothing
from mlctl.reports.markup import Html, element
from mlctl.reports.scales import Scale, duration, duration_ticks, fit, short, text_width
from mlctl.reports.svg import GRID, INK, Frame, axis_titles, drawing, line, text, tip, x_axis

HEAT_LIMIT = 40
OUTCOMES = {
    "ran": "var(--c1,#0072b2)",
    "restored": "var(--c6,#56b4e9)",
    "unchanged": "var(--c8,#6b7280)",
    "failed": "var(--c2,#d55e00)",
    "cancelled": "var(--c5,#e69f00)",
    "skipped": "var(--c8,#6b7280)",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One bar of a timeline: `start` in seconds from the timeline's zero."""

    name: str
    start: float
    seconds: float
    outcome: str = "ran"


def heat(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    x_label: str = "",
    y_label: str = "",
    title: str = "",
    percent: bool = False,
    width: int = 500,
) -> Html:
    """A heat table (a confusion matrix, correlations): the darker, the farther from 0.

    `values[row][column]`; negative values take the second colour. `percent` prints 0.25 as 25 %.
    Only the first 40 rows and columns are drawn.
    """
    rows, columns = rows[:HEAT_LIMIT], columns[:HEAT_LIMIT]
    if not rows or not columns:
        return nothing(width, 80, title)
    left = min(width * 0.35, max(text_width(name) for name in rows) + 18) + (22 if y_label else 0)
    cell = min((width - left - 12) / len(columns), 96.0)
    tall = max(20.0, min(cell, 44.0))
    frame = Frame(left, 26, left + cell * len(columns), 26 + tall * len(rows))
    finite = [abs(v) for row in values for v in row if v is not None and isfinite(v)]
    top = max(finite, default=0.0) or 1.0
    parts: list[Html] = []
    for at, name in enumerate(columns):
        shown = fit(name, cell - 4)
        parts.append(text(left + cell * (at + 0.5), 18, shown, anchor="middle", fill=INK))
    for at, name in enumerate(rows):
        y = frame.top + tall * at
        shown = fit(name, left - (36 if y_label else 12))
        parts.append(text(left - 8, y + tall / 2 + 4, shown, anchor="end", fill=INK))
        for column, value in enumerate(values[at][: len(columns)]):
            where = f"{name} / {columns[column]}"
            parts += _cell(left + cell * column, y, cell, tall, value, top, where, percent)
    height = frame.bottom + (28 if x_label else 10)
    below = text(
        (frame.left + frame.right) / 2, frame.bottom + 18, x_label, anchor="middle", fill=INK
    )
    titles = axis_titles(frame, "", y_label)
    return drawing(width, height, *parts, titles, below if x_label else "", label=title)


def _cell(
    x: float,
    y: float,
    width: float,
    height: float,
    value: float | None,
    top: float,
    where: str,
    percent: bool,
) -> list[Html]:
    if value is None or not isfinite(value):
        return [_square(x, y, width, height, GRID, "0.4", f"{where}: no value")]
    strength = abs(value) / top
    shown = f"{value:.0%}" if percent else short(value, 3)
    fill = "var(--c1,#0072b2)" if value >= 0 else "var(--c2,#d55e00)"
    square = _square(
        x, y, width, height, fill, f"{0.06 + 0.84 * strength:.2f}", f"{where}: {shown}"
    )
    if text_width(shown) > width - 4:
        return [square]
    # White is read on the fallback palette and on the dark one alike once the cell is strong.
    ink = "var(--on-strong,#fff)" if strength > 0.55 else INK
    return [square, text(x + width / 2, y + height / 2 + 4, shown, anchor="middle", fill=ink)]


def _square(
    x: float, y: float, width: float, height: float, fill: str, opacity: str, tooltip: str
) -> Html:
    return element(
        "rect", tip(tooltip), x=x + 1, y=y + 1, width=width - 2, height=height - 2, rx=2,
        fill=fill, fill_opacity=opacity,
    )  # fmt: skip


def gantt(tasks: Sequence[Task], *, title: str = "", width: int = 1000) -> Html:
    """One bar for each task over the time from the first start to the last end, in seconds."""
    if not tasks:
        return nothing(width, 80, title)
    zero = min(task.start for task in tasks)
    total = max(max(task.start + task.seconds for task in tasks) - zero, 1e-6)
    left = min(width * 0.35, max(text_width(task.name) for task in tasks) + 14)
    bottom = 6.0 + 26 * len(tasks)
    frame = Frame(left, 6, width - 16.0, bottom)
    x = Scale(0.0, total, frame.left, frame.right)
    values = duration_ticks(total)
    parts: list[Html] = [line(x(t), 6, x(t), bottom) for t in values]
    for row, task in enumerate(tasks):
        parts += _bar(task, zero, 6.0 + 26 * row, frame, x)
    axis = x_axis(frame, x, values, [_whole(duration(t)) for t in values])
    return drawing(width, bottom + 26, *parts, axis, label=title)


def _bar(task: Task, zero: float, y: float, frame: Frame, x: Scale) -> list[Html]:
    start, size = x(task.start - zero), 0.0
    size = max(2.0, x(task.start - zero + task.seconds) - start)
    took = duration(task.seconds)
    words = took if task.outcome == "ran" else f"{task.outcome}, {took}"
    after = start + size + 6
    inside = after + text_width(words) > frame.right
    if inside and text_width(words) + 8 < size:
        note = text(start + size - 6, y + 17, words, anchor="end", fill="var(--on-strong,#fff)")
    elif inside:
        note = text(start - 6, y + 17, words, anchor="end")
    else:
        note = text(after, y + 17, words)
    return [
        text(frame.left - 8, y + 17, fit(task.name, frame.left - 12), anchor="end", fill=INK),
        element(
            "rect", tip(f"{task.name}: {task.outcome}, {took}"), x=start, y=y + 4, width=size,
            height=18, rx=3, fill=OUTCOMES.get(task.outcome, OUTCOMES["ran"]),
        ),
        note,
    ]  # fmt: skip


def _whole(words: str) -> str:
    """`5m 00s` as `5m`, `10.0s` as `10s`: a tick stands at a whole unit where it can."""
    return words.split(" 00")[0].replace(".0s", "s")
