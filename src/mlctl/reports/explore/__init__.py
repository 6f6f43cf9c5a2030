"""The page that answers to the mouse: tables, curves, parallel coordinates and scatter, linked.

The scripts are plain JavaScript, one file for each view, and are put into the page in this order.
What they draw comes as JSON in the page; its form is that of `data` below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from mlctl.reports.markup import Html, element, join

_SCRIPTS = ("base", "scales", "table", "curves", "parallel", "scatter", "start")


def style() -> str:
    """The style sheet that the page has beside that of every page."""
    return _text("style.css")


def script(data: Mapping[str, Any]) -> Html:
    """The data and the scripts, for the end of the page. `data` must be what JSON can say:

    `runs` (each with its `label`), `columns` (each with `key`, `name`, `kind`, its `values`, and
    `at`, the place of its column in the table or None), `curves` (each with its `name` and for each
    of the `runs` null or steps, seconds and values), `axes` (keys of the columns that are drawn
    first). Values that are not there are null.
    """
    code = "\n".join(_text(f"{name}.js") for name in _SCRIPTS)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # No text of the data can end the element that it stands in, nor begin a comment there.
    safe = text.replace("<", "\\u003c").encode("utf-8", "replace").decode()
    return Html(
        f'<script type="application/json" id="data">{safe}</script>\n'
        f'<script>(function () {{\n"use strict";\n{code}}})();</script>'
    )


def toolbar(colours: Mapping[str, str], first: str) -> Html:
    """What holds for all views: words to look for, and the column that gives the colours."""
    options = [
        element("option", name, value=key, selected=key == first) for key, name in colours.items()
    ]
    return element(
        "div",
        element(
            "label", "Find",
            element("input", type="search", id="words", placeholder="words, or auc>0.9"),
        ),
        element("label", "Colour", element("select", *options, id="colour")),
        element("span", id="ramp", hidden=True),
        element("span", id="count", aria_live="polite"),
        element("button", "Reset", type="button", id="reset", class_="plain"),
        id="tools",
        hidden=True,
    )  # fmt: skip


def curves() -> Html:
    """The room of the curves and their switches."""
    axis = [
        element("option", name, value=str(value))
        for value, name in enumerate(("step", "seconds since the start"))
    ]
    return join(
        [
            element(
                "div",
                element("label", "Over", element("select", *axis, id="curve-x")),
                element(
                    "label", "Smooth",
                    element(
                        "input", type="range", id="curve-smooth", min="0", max="0.98", step="0.02",
                        value="0",
                    ),
                ),
                element("label", element("input", type="checkbox", id="curve-log"), "log scale"),
                class_="controls",
            ),
            element("div", id="curve-names", class_="chips"),
            element("div", id="curve-grid", class_="curve"),
        ]
    )  # fmt: skip


def parallel() -> Html:
    """The room of the parallel coordinates and their switches."""
    return join(
        [
            element("div", id="parallel-names", class_="chips"),
            element("div", id="parallel-box", class_="chart scroll"),
        ]
    )


def scatter(columns: Mapping[str, str], x: str, y: str) -> Html:
    """The room of the scatter; `columns` are keys and names, `x` and `y` the first keys shown."""

    def choice(label: str, place: str, first: str) -> Html:
        options = [
            element("option", name, value=key, selected=key == first)
            for key, name in columns.items()
        ]
        return element("label", label, element("select", *options, id=place))

    controls = [choice("Across", "scatter-x", x), choice("Up", "scatter-y", y)]
    return join(
        [
            element("div", *controls, class_="controls"),
            element("div", id="scatter-box", class_="chart scroll"),
        ]
    )


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
