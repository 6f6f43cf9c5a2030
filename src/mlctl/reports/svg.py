"""What every plot shares: the drawing's frame, its colours, axes and legend.

Colours are CSS variables with a fallback, so that a plot follows the page's light or dark scheme
and still shows alone. The palette is that of Okabe and Ito (2008, "Color universal design"), its
yellow darkened, as it cannot be seen on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlctl.reports.markup import Html, element, join
from mlctl.reports.scales import Scale, fit, text_width, tick_labels

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#a08b00", "#6b7280")
PALETTE_DARK = (
    "#56a9e0", "#ff8a4c", "#2fc99c", "#e29ac4", "#f2b632", "#8ccdf5", "#d6c34a", "#a3abb8",
)  # fmt: skip
DASHES = (None, "6 3", "2 3", "8 3 2 3")
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif"
SIZE = 12
INK, MUTED = "var(--ink,#1f2937)", "var(--muted,#6b7280)"
GRID, PAPER = "var(--grid,#e5e7eb)", "var(--paper,#fff)"


def colour(index: int) -> str:
    """The colour of series `index`; it begins anew after eight."""
    at = index % len(PALETTE)
    return f"var(--c{at + 1},{PALETTE[at]})"


def drawing(width: float, height: float, *parts: object, label: str = "") -> Html:
    """The `<svg>` that scales with its page; `label` is what a screen reader says."""
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="img",
        aria_label=label or None,
        font_family=FONT,
        font_size=SIZE,
    )


def text(x: float, y: float, value: str, *, anchor: str = "start", **more: object) -> Html:
    """A line of text; `anchor` is `start`, `middle` or `end`."""
    where = None if anchor == "start" else anchor
    fill = more.pop("fill", MUTED)
    return element("text", value, x=float(x), y=float(y), text_anchor=where, fill=fill, **more)


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GRID, **more: object) -> Html:
    return element(
        "line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), stroke=stroke, **more
    )


def tip(value: str) -> Html:
    """A tooltip: the first child of the mark that it explains."""
    return element("title", value)


@dataclass(frozen=True, slots=True)
class Frame:
    """The room between the axes, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def legend_rows(names: Sequence[str], width: float) -> list[list[tuple[int, str, float]]]:
    """(index, shown name, width) of each entry, broken into rows that fit."""
    rows: list[list[tuple[int, str, float]]] = [[]]
    used = 0.0
    for index, name in enumerate(names):
        shown = fit(name, min(260.0, width - 30))
        size = text_width(shown) + 34
        if rows[-1] and used + size > width:
            rows.append([])
            used = 0.0
        rows[-1].append((index, shown, size))
        used += size
    return rows


def legend(names: Sequence[str], left: float, top: float, width: float) -> Html:
    """Swatch and name of every series; takes 18 pixels a row."""
    parts: list[Html] = []
    for row, entries in enumerate(legend_rows(names, width)):
        x, y = left, top + row * 18
        for index, shown, size in entries:
            swatch = element(
                "rect", tip(names[index]), x=x, y=y + 3.0, width=12, height=8, rx=2,
                fill=colour(index),
            )  # fmt: skip
            parts += [swatch, text(x + 17, y + 11, shown, fill=INK)]
            x += size
    return join(parts)


def x_axis(
    frame: Frame, scale: Scale, values: Sequence[float], labels: Sequence[str] | None = None
) -> Html:
    """Tick labels under the frame, those left out that would overlap the one before."""
    parts: list[Html] = [line(frame.left, frame.bottom, frame.right, frame.bottom, MUTED)]
    shown_until = float("-inf")
    for value, label in zip(values, labels or tick_labels(values), strict=True):
        x, half = scale(value), text_width(label) / 2
        parts.append(line(x, frame.bottom, x, frame.bottom + 4, MUTED))
        if x - half > shown_until:
            parts.append(text(x, frame.bottom + 17, label, anchor="middle"))
            shown_until = x + half + 6
    return join(parts)


def y_axis(frame: Frame, scale: Scale, values: Sequence[float]) -> Html:
    """Grid lines and tick labels left of the frame."""
    parts: list[Html] = []
    for value, label in zip(values, tick_labels(values), strict=True):
        y = scale(value)
        parts.append(line(frame.left, y, frame.right, y))
        parts.append(text(frame.left - 7, y + 4, label, anchor="end"))
    return join(parts)


def axis_titles(frame: Frame, x_label: str, y_label: str) -> Html:
    """`x_label` below, `y_label` turned, at the left edge."""
    parts: list[Html] = []
    middle_x, middle_y = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
    if x_label:
        shown = fit(x_label, frame.width)
        parts.append(text(middle_x, frame.bottom + 35, shown, anchor="middle", fill=INK))
    if y_label:
        turn = f"rotate(-90 14 {middle_y:.0f})"
        shown = fit(y_label, frame.height)
        parts.append(text(14, middle_y, shown, anchor="middle", fill=INK, transform=turn))
    return join(parts)
