"""How `exp plot` shows curves: in the terminal, as a file, as JSON."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlctl.cli._output import styled
from mlctl.cli._text import count
from mlctl.cli.exp._curves import Chart, Line, chart_lines, legend_lines, value_note
from mlctl.errors import InvalidInput

if TYPE_CHECKING:
    from mlctl.experiments.plotting import Plotted

_AXES = ("step", "time")
_FILES = (".svg", ".html")
_MOST = 6  # charts, unless metrics are named
_HEIGHTS = (14, 10, 8)  # rows of one chart, of two, of more


def check(axis: str, out: str | None) -> None:
    """Refuse what cannot be drawn, before anything is read."""
    if axis not in _AXES:
        raise InvalidInput(f"-x {axis}: the axis is step or time")
    if out and os.path.splitext(out)[1].lower() not in _FILES:
        raise InvalidInput(f"--out {out}: the file's name must end in .svg or .html")


def write(shown: Plotted, out: str, axis: str) -> str:
    """Write the file; what there is to say of it."""
    from pathlib import Path

    from mlctl.adapters.files import write_text
    from mlctl.experiments.plotting import drawing, drawing_page

    page = os.path.splitext(out)[1].lower() == ".html"
    write_text(out, drawing_page(shown, axis) if page else drawing(shown, axis))
    return styled(Path(out).resolve().as_uri(), "36")


def as_json(shown: Plotted) -> dict[str, Any]:
    """`runs`, each with its `id`, its `name` and its `curves` by metric."""
    return {
        "runs": [
            {
                "id": head.id,
                "name": head.name,
                "curves": {
                    metric: {"step": curve.steps, "seconds": curve.times, "value": curve.values}
                    for metric, curves in shown.curves.items()
                    if (curve := curves[number])
                },
            }
            for number, head in enumerate(shown.heads)
        ]
    }


def in_terminal(shown: Plotted, axis: str, metrics: Sequence[str]) -> list[str]:
    """The charts, a legend, and what is left out: without `metrics`, the first six are shown."""
    width = shutil.get_terminal_size((100, 24)).columns
    most = len(shown.curves) if metrics else _MOST
    charts = [_chart(shown, name, axis) for name in list(shown.curves)[:most]]
    height = _HEIGHTS[min(len(charts), len(_HEIGHTS)) - 1]
    several = len(shown.heads) > 1
    lines = chart_lines(charts, width=width, height=height, x_name=axis, several=several)
    lines += legend_lines(shown.names, width=width) if several else [styled(shown.names[0], "2")]
    left = len(shown.curves) - len(charts)
    if left:
        lines.append(styled(f"{count(left, 'more metric')}: --metric NAME, or '*' for all", "2"))
    return lines


def _chart(shown: Plotted, metric: str, axis: str) -> Chart:
    from mlctl.experiments.plotting import across

    curves = shown.curves[metric]
    lines = [
        Line(number, across(curve, axis), curve.values)
        for number, curve in enumerate(curves)
        if curve
    ]
    return Chart(metric, lines, value_note(lines[0].y) if len(shown.heads) == 1 else "")
