"""Plots as one self-contained HTML page: what changes between revisions lies in one picture."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mlctl.outputs.plots import Curve, Plot
from mlctl.reports import html, plots
from mlctl.reports.markup import Html, join

_CLOUDS = ("scatter", "scatter_jitter")


def plots_page(shown: Sequence[Plot], title: str, subtitle: str) -> str:
    """The whole page, a section for each plot."""
    sections = [
        html.Section(plot.definition.title, _body(plot), " ".join(plot.problems)) for plot in shown
    ]
    return html.page(title, subtitle, sections)


def _body(plot: Plot) -> Html:
    parts = [
        html.figure(
            html.image(image.data, posixpath.splitext(image.path)[1], image.path), image.rev
        )
        for image in plot.images
    ]
    curves = [curve for curve in plot.curves if curve.y]
    template = plot.definition.template
    if template.startswith("confusion"):
        parts += [html.figure(_confusion(plot, curve, template), curve.rev) for curve in curves]
    elif template.startswith("bar_horizontal"):
        parts += [html.figure(_bars(plot, curve), curve.rev) for curve in curves]
    elif curves:
        parts.append(html.figure(_chart(plot, curves)))
    if not parts:
        return html.paragraph("There is nothing to show.")
    return html.grid(parts) if len(parts) > 1 else join(parts)


def _chart(plot: Plot, curves: Sequence[Curve]) -> Html:
    names = _names(curves)
    words = [str(x) for x in dict.fromkeys(x for c in curves for x in c.x if isinstance(x, str))]
    place = {word: float(i) for i, word in enumerate(words)}
    series = [
        plots.Series(
            name,
            [place[x] if isinstance(x, str) else _value(x) for x in curve.x],
            [_value(y) for y in curve.y],
        )
        for name, curve in zip(names, curves, strict=True)
    ]
    made = plot.definition
    y_label = made.y_label or (curves[0].field if len({c.field for c in curves}) == 1 else "")
    if made.template in _CLOUDS and not words:
        return plots.scatter(
            series, x_label=made.x_label, y_label=y_label, title=made.title, width=760
        )
    return plots.lines(
        series, x_label=made.x_label, y_label=y_label, title=made.title, width=760,
        x_names=words or None,
    )  # fmt: skip


def _names(curves: Sequence[Curve]) -> list[str]:
    """A name for each curve, of what differs among them: revision, file, field."""
    parts = [(curve.rev, curve.path, curve.field) for curve in curves]
    differing = [i for i in range(3) if len({part[i] for part in parts}) > 1] or [0]
    return [" ".join(part[i] for i in differing) for part in parts]


def _confusion(plot: Plot, curve: Curve, template: str) -> Html:
    """Counts of (actual, predicted): DVC's template has the actual value in `x`."""
    pairs = Counter(zip(map(str, curve.x), map(str, curve.y), strict=True))
    labels = sorted({label for pair in pairs for label in pair})
    values = [[float(pairs[column, row]) for column in labels] for row in labels]
    percent = "normalized" in template
    if percent:
        totals = [sum(pairs[column, row] for row in labels) for column in labels]
        values = [[v / (totals[i] or 1) for i, v in enumerate(line)] for line in values]
    made = plot.definition
    return plots.heat(
        labels, labels, values, x_label=made.x_label, y_label=made.y_label, percent=percent,
        title=made.title,
    )  # fmt: skip


def _bars(plot: Plot, curve: Curve) -> Html:
    """DVC's horizontal bars have the names in `y` and the lengths in `x`."""
    pairs = [(str(y), _value(x)) for x, y in zip(curve.x, curve.y, strict=True)]
    kept = [(name, value) for name, value in pairs if value is not None]
    return plots.bars(
        [name for name, _ in kept], [value for _, value in kept], title=plot.definition.title
    )


def _value(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
