"""Lines and points over two numeric axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from mlctl.reports.markup import Html, element, join, number
from mlctl.reports.scales import Scale, extent, nice_extent, short, text_width, tick_labels, ticks
from mlctl.reports.svg import (
    DASHES,
    PALETTE,
    PAPER,
    Frame,
    axis_titles,
    colour,
    drawing,
    legend,
    legend_rows,
    text,
    tip,
    x_axis,
    y_axis,
)

MAX_POINTS = 400  # of one line or cloud: more cannot be seen and only makes the page heavy


@dataclass(frozen=True, slots=True)
class Series:
    """One line or cloud: `y[i]` over `x[i]`; None and NaN leave a gap."""

    name: str
    x: Sequence[float | None]
    y: Sequence[float | None]


def lines(
    series: Sequence[Series],
    *,
    x_label: str = "",
    y_label: str = "",
    x_names: Sequence[str] | None = None,
    title: str = "",
    width: int = 500,
    height: int = 280,
) -> Html:
    """One line for each series, with axes, and a legend where there are several.

    `x_names` names the positions 0, 1, 2… on the x axis. A line of more than 400 points is
    drawn by the lowest and highest of each of its parts, so that spikes stay visible.
    """
    clean = [(s.name, thin(_runs(s))) for s in series]
    return _plot(clean, _draw_line, x_label, y_label, x_names, title, width, height)


def scatter(
    series: Sequence[Series],
    *,
    x_label: str = "",
    y_label: str = "",
    title: str = "",
    width: int = 500,
    height: int = 320,
) -> Html:
    """One cloud of points for each series; of more than 400 points every n-th is shown."""
    clean = [(s.name, [_every([p for run in _runs(s) for p in run])]) for s in series]
    return _plot(clean, _draw_points, x_label, y_label, None, title, width, height)


Point = tuple[float, float]
Runs = list[list[Point]]


def thin(runs: Runs) -> Runs:
    """`runs` with at most about 400 points, the extremes of each part kept."""
    total = sum(len(run) for run in runs)
    if total <= MAX_POINTS:
        return runs
    size = -(-2 * total // MAX_POINTS)
    result: Runs = []
    for run in runs:
        kept: list[Point] = []
        for start in range(0, len(run), size):
            part = run[start : start + size]
            low, high = min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])
            kept += sorted({low, high})
        result.append(_unique([run[0], *kept, run[-1]]))
    return result


def _runs(series: Series) -> Runs:
    """The points of `series` in order, broken where a value is missing."""
    runs: Runs = [[]]
    for x, y in zip(series.x, series.y, strict=True):
        if x is None or y is None or not (isfinite(x) and isfinite(y)):
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _every(points: list[Point]) -> list[Point]:
    return points[:: -(-len(points) // MAX_POINTS)] if points else []


def _unique(points: list[Point]) -> list[Point]:
    return [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]


def _plot(
    clean: list[tuple[str, Runs]],
    draw: object,
    x_label: str,
    y_label: str,
    x_names: Sequence[str] | None,
    title: str,
    width: int,
    height: int,
) -> Html:
    points = [point for _, runs in clean for run in runs for point in run]
    if not points:
        return nothing(width, 80, title)
    x_low, x_high = extent([p[0] for p in points])
    y_low, y_high = nice_extent(*extent([p[1] for p in points]))
    y_values = ticks(y_low, y_high)
    names = [name for name, _ in clean] if len(clean) > 1 else []
    left = 16 + max(text_width(label) for label in tick_labels(y_values)) + (20 if y_label else 0)
    top = 10.0 + (18 * len(legend_rows(names, width - left)) + 4 if names else 0)
    frame = Frame(left, top, width - 16.0, height - (44.0 if x_label else 26.0))
    x, y = Scale(x_low, x_high, frame.left, frame.right), Scale(y_low, y_high, frame.bottom, top)
    x_values = ticks(x_low, x_high, 8)
    labels = None
    if x_names is not None:
        x_values = [float(i) for i in range(len(x_names)) if x_low <= i <= x_high]
        labels = [x_names[int(i)] for i in x_values]
    mark = draw if callable(draw) else _draw_line
    marks = [mark(runs, x, y, index, name) for index, (name, runs) in enumerate(clean)]
    return drawing(
        width,
        height,
        legend(names, frame.left, 4, width - left) if names else "",
        y_axis(frame, y, y_values),
        x_axis(frame, x, x_values, labels),
        *marks,
        axis_titles(frame, x_label, y_label),
        label=title or y_label,
    )


def _draw_line(runs: Runs, x: Scale, y: Scale, index: int, name: str) -> Html:
    stroke, dash = colour(index), DASHES[index // len(PALETTE) % len(DASHES)]
    path = "".join("M" + "L".join(f"{number(x(a))} {number(y(b))}" for a, b in run) for run in runs)
    line = element(
        "path", tip(name), d=path, fill="none", stroke=stroke, stroke_width=2,
        stroke_linejoin="round", stroke_linecap="round", stroke_dasharray=dash,
    )  # fmt: skip
    count = sum(len(run) for run in runs)
    # Dots show where the values are; on a long line they would hide it. A lone point needs one.
    dotted = runs if count <= 40 else [run for run in runs if len(run) == 1]
    dots = [_dot(x, y, point, index, name, 3.0) for run in dotted for point in run]
    return join([line, *dots])


def _draw_points(runs: Runs, x: Scale, y: Scale, index: int, name: str) -> Html:
    return join(_dot(x, y, point, index, name, 3.5) for run in runs for point in run)


def _dot(x: Scale, y: Scale, point: Point, index: int, name: str, radius: float) -> Html:
    where = f"{short(point[0])}: {short(point[1])}"
    return element(
        "circle", tip(f"{name}, {where}" if name else where), cx=float(x(point[0])),
        cy=float(y(point[1])), r=radius, fill=colour(index), stroke=PAPER, stroke_width=1,
    )  # fmt: skip


def nothing(width: int, height: int, title: str) -> Html:
    """What stands where there is no value to draw."""
    return drawing(
        width, height, text(width / 2, height / 2, "no values to plot", anchor="middle"),
        label=title,
    )  # fmt: skip
