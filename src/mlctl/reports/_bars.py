"""Bars: one value for each name, and two samples side by side."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from mlctl.reports._xy import nothing
from mlctl.reports.markup import Html, element, join, number
from mlctl.reports.scales import (
    Scale,
    extent,
    fit,
    nice_extent,
    short,
    text_width,
    tick_labels,
    ticks,
)
from mlctl.reports.svg import (
    INK,
    MUTED,
    Frame,
    axis_titles,
    colour,
    drawing,
    legend,
    line,
    text,
    tip,
    x_axis,
    y_axis,
)

BAR_LIMIT = 40


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    value_label: str = "",
    title: str = "",
    width: int = 500,
) -> Html:
    """Horizontal bars, the first on top; past 40 the rest is counted in one line below."""
    pairs = [(n, v) for n, v in zip(labels, values, strict=True) if isfinite(v)]
    if not pairs:
        return nothing(width, 80, title)
    shown, more = pairs[:BAR_LIMIT], len(pairs) - BAR_LIMIT
    low, high = nice_extent(*extent([0.0, *(v for _, v in shown)]))
    left = min(width * 0.4, max(text_width(n) for n, _ in shown) + 14)
    room = max(text_width(short(v)) for _, v in shown) + 12
    bottom = 8.0 + 24 * len(shown)
    frame = Frame(left, 8, width - room, bottom)
    x = Scale(low, high, frame.left, frame.right)
    parts: list[Html] = [line(x(t), 8, x(t), bottom) for t in ticks(low, high)]
    for row, (name, value) in enumerate(shown):
        y, zero = 8.0 + 24 * row, x(0.0)
        start, end = min(zero, x(value)), max(zero, x(value))
        parts += [
            text(left - 8, y + 16, fit(name, left - 12), anchor="end", fill=INK),
            element(
                "rect", tip(f"{name}: {short(value)}"), x=start, y=y + 4, height=16,
                width=max(1.0, end - start), rx=2, fill=colour(0),
            ),
            text(end + 6, y + 16, short(value)),
        ]  # fmt: skip
    if more > 0:
        parts.append(text(left, bottom + 50, f"and {more} more"))
    height = bottom + (44 if value_label else 26) + (14 if more > 0 else 0)
    axis = x_axis(frame, x, ticks(low, high))
    return drawing(
        width, height, *parts, axis, axis_titles(frame, value_label, ""), label=title
    )  # fmt: skip


def distributions(
    labels: Sequence[str],
    reference: Sequence[float],
    current: Sequence[float],
    *,
    names: tuple[str, str] = ("reference", "current"),
    x_label: str = "",
    title: str = "",
    width: int = 500,
    height: int = 260,
) -> Html:
    """Shares (0 to 1) of two samples in the same bins or categories, as pairs of bars."""
    if not labels:
        return nothing(width, 80, title)
    high = nice_extent(0.0, max([*reference, *current, 1e-9]))[1]
    values = ticks(0.0, high)
    left = 16 + max(text_width(label) for label in tick_labels(values)) + 20
    frame = Frame(left, 32, width - 12.0, height - (44.0 if x_label else 26.0))
    y = Scale(0.0, high, frame.bottom, frame.top)
    step = frame.width / len(labels)
    parts: list[Html] = []
    for index, pair in enumerate(zip(reference, current, strict=True)):
        for which, value in enumerate(pair):
            x = frame.left + step * (index + 0.12 + 0.38 * which)
            top = y(value)
            parts.append(
                element(
                    "rect", tip(f"{names[which]}, {labels[index]}: {value:.1%}"), x=x, y=top,
                    width=step * 0.38, height=max(0.0, frame.bottom - top), fill=colour(which),
                )
            )  # fmt: skip
    centres = [index + 0.5 for index in range(len(labels))]
    short_labels = [fit(label, max(24.0, step - 4)) for label in labels]
    x_scale = Scale(0.0, float(len(labels)), frame.left, frame.right)
    return drawing(
        width,
        height,
        legend(names, frame.left, 4, frame.width),
        y_axis(frame, y, values),
        *parts,
        x_axis(frame, x_scale, centres, short_labels),
        axis_titles(frame, x_label, "share"),
        label=title,
    )


def small_distributions(
    reference: Sequence[float],
    current: Sequence[float],
    *,
    ends: tuple[str, str] | None = None,
    title: str = "",
    width: int = 220,
    height: int = 54,
) -> Html:
    """A distribution for a table cell: the reference filled, the current as an outline.

    `ends` names the left and right end of the axis. Both are scaled to the highest share.
    """
    count = len(reference)
    if not count:
        return Html("")
    base = height - (14.0 if ends else 1.0)
    high = max([*reference, *current, 1e-9])
    y = Scale(0.0, high, base, 2.0)
    step = width / count

    def outline(shares: Sequence[float]) -> str:
        path = f"M0 {number(base)}"
        for index, share in enumerate(shares):
            path += f"V{number(y(share))}H{number(step * (index + 1))}"
        return f"{path}V{number(base)}"

    marks = [
        element("path", d=outline(reference) + "Z", fill=colour(0), fill_opacity="0.35"),
        element(
            "path", d=outline(current), fill="none", stroke=colour(1), stroke_width="1.5",
        ),
        line(0, base, width, base, MUTED),
    ]  # fmt: skip
    if ends:
        half = width / 2 - 6
        marks.append(text(0, height - 2, fit(ends[0], half, 10), font_size=10))
        marks.append(text(width, height - 2, fit(ends[1], half, 10), anchor="end", font_size=10))
    return drawing(width, height, join(marks), label=title)
