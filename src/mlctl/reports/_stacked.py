"""Several drawings in one file, each below its title."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlctl.reports.markup import Html, element
from mlctl.reports.svg import INK, PAPER, drawing, text

_TITLE, _GAP, _EDGE = 26.0, 18.0, 12.0
_SIZE = re.compile(r' width="([0-9]+)" height="([0-9]+)"')


def stacked(parts: Sequence[tuple[str, Html]]) -> Html:
    """One `<svg>` of titles and drawings, on paper of its own so that it shows anywhere."""
    sizes = [_size(part) for _, part in parts]
    width = max((size[0] for size in sizes), default=0) + 2 * _EDGE
    body, top = [], _EDGE
    for (title, part), (_, height) in zip(parts, sizes, strict=True):
        body.append(text(_EDGE, top + 14, title, fill=INK, font_size=14, font_weight=600))
        body.append(element("g", part, transform=f"translate({_EDGE:.0f} {top + _TITLE:.0f})"))
        top += _TITLE + height + _GAP
    paper = element("rect", x=0, y=0, width=width, height=top, fill=PAPER)
    return drawing(width, top, paper, *body, label=", ".join(title for title, _ in parts))


def _size(part: Html) -> tuple[float, float]:
    found = _SIZE.search(part)
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)
