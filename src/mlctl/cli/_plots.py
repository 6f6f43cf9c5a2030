"""What `plots show` and `plots diff` share: JSON, the table, and writing the page."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlctl.cli._output import say, styled
from mlctl.cli._text import count
from mlctl.cli._values import here, number, print_table, warn

if TYPE_CHECKING:
    from mlctl.outputs.plots import Curve, Plot
    from mlctl.pipeline.project import Project


def plots_json(shown: Sequence[Plot], revisions: Sequence[str]) -> dict[str, Any]:
    """`revisions` and `plots` with their labels, `curves` (points as `x` and `y`) and `images`."""
    from mlctl.records.canonical import plain

    return {
        "revisions": list(revisions),
        "plots": [
            {
                "id": plot.definition.id,
                "title": plot.definition.title,
                "template": plot.definition.template,
                "x_label": plot.definition.x_label,
                "y_label": plot.definition.y_label,
                "curves": [
                    {
                        "rev": curve.rev,
                        "path": curve.path,
                        "field": curve.field,
                        "x": plain(curve.x),
                        "y": plain(curve.y),
                    }
                    for curve in plot.curves
                ],
                "images": [
                    {"rev": image.rev, "path": image.path, "bytes": len(image.data)}
                    for image in plot.images
                ],
                "problems": list(plot.problems),
            }
            for plot in shown
        ],
    }


def print_plots(shown: Sequence[Plot]) -> None:
    """A row for each curve and picture: how many points, and the range of its values."""
    rows = [
        [plot.definition.id, curve.rev, here(curve.path), curve.field, *_span(curve)]
        for plot in shown
        for curve in plot.curves
    ]
    rows += [
        [plot.definition.id, image.rev, here(image.path), "(image)", "-", "-", "-", "-"]
        for plot in shown
        for image in plot.images
    ]
    warn([problem for plot in shown for problem in plot.problems])
    if not rows:
        say("There are no plots.")
        return
    print_table(
        ["Plot", "Revision", "Path", "Field", "Points", "Min", "Max", "Last"],
        rows,
        right=(4, 5, 6, 7),
    )


def write_page(
    project: Project,
    shown: Sequence[Plot],
    revisions: Sequence[str],
    out: str | None,
    *,
    opened: bool,
) -> None:
    """Write the page (by default into local state, which git ignores) and say where it is."""
    from mlctl.adapters.files import write_text
    from mlctl.outputs.page import plots_page
    from mlctl.store.state import make_local_dir

    path = Path(out) if out else Path(project.config.local_dir, "plots", "index.html")
    if out is None:
        make_local_dir(project.config.local_dir)
    if path.is_dir():
        path = path / "index.html"
    title = f"Plots of {os.path.basename(project.root)}"
    subtitle = f"{count(len(shown), 'plot')} · {', '.join(revisions)}"
    write_text(path, plots_page(shown, title, subtitle))
    say()
    say(styled(path.resolve().as_uri(), "36"))
    if opened:
        webbrowser.open(path.resolve().as_uri())


def _span(curve: Curve) -> list[str]:
    numbers = [y for y in curve.y if isinstance(y, int | float) and y == y]
    if not numbers:
        return [str(len(curve.y)), "-", "-", "-"]
    return [
        str(len(curve.y)),
        *(number(y, 4) for y in (min(numbers), max(numbers), numbers[-1])),
    ]
