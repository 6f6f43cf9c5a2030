"""Points as a plot of Vega-Lite."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def plot(
    points: Sequence[Mapping[str, Any]], x: str, y: str, template: str, options: Mapping[str, Any]
) -> Dict[str, Any]:
    """The plot that a template of DVC's draws; a line where there is none of that name."""
    kind = template.partition("_")[0]
    titles = {x: options.get("x_label") or x, y: options.get("y_label") or y}
    if kind == "confusion":
        encoding = _confusion(x, y, titles)
        mark: Any = "rect"
    elif kind == "bar":
        encoding = {"x": _axis(y, "quantitative", titles[y]), "y": _axis(x, "nominal", titles[x])}
        mark = "bar"
    else:
        encoding = {
            "x": _axis(x, "quantitative", titles[x]),
            "y": _axis(y, "quantitative", titles[y]),
        }
        mark = "point" if kind == "scatter" else {"type": "line"}
    found = {"$schema": _SCHEMA, "data": {"values": points}, "mark": mark, "encoding": encoding}
    return {**found, "title": options["title"]} if options.get("title") else found


def _axis(field: str, kind: str, title: str) -> Dict[str, Any]:
    return {"field": field, "type": kind, "title": title}


def _confusion(x: str, y: str, titles: Mapping[str, str]) -> Dict[str, Any]:
    return {
        "x": _axis(x, "nominal", titles[x]),
        "y": _axis(y, "nominal", titles[y]),
        "color": {"aggregate": "count", "type": "quantitative"},
    }
