"""One self-contained HTML page: no file beside it, nothing from the network, works from file://."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlctl.reports._style import CSS, SCRIPT
from mlctl.reports.markup import Html, element, escape, join
from mlctl.reports.scales import short

IMAGE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}

_NOTHING = Html("")


@dataclass(frozen=True, slots=True)
class Section:
    """A titled box of the page."""

    title: str
    body: Html
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell that sorts by `value` whatever it shows."""

    shown: object
    value: float | str
    right: bool = False


def page(
    title: str,
    subtitle: object,
    sections: Iterable[Section],
    *,
    footer: object = "",
    above: object = "",
    style: str = "",
    script: Html = _NOTHING,
) -> str:
    """The whole document. Everything that is not `Html` is escaped.

    `above` stands before the sections; `style` and `script` come after those of every page.
    """
    boxes = list(sections)
    anchors = _anchors([box.title for box in boxes])
    body = [element("h1", title)]
    if subtitle:
        body.append(element("p", subtitle, class_="subtitle"))
    if len(boxes) > 3:
        pairs = zip(boxes, anchors, strict=True)
        links = [element("a", box.title, href=f"#{anchor}") for box, anchor in pairs]
        body.append(element("nav", *links))
    if above:
        body.append(escape(above))
    for box, anchor in zip(boxes, anchors, strict=True):
        note = element("p", box.note, class_="note") if box.note else ""
        body.append(element("section", element("h2", box.title), note, box.body, id=anchor))
    if footer:
        body.append(element("footer", footer))
    head = (
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        # Even markup that slipped through could load nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(title)}</title>\n<style>{CSS}{style}</style>\n"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}</head>\n<body>\n<main>\n'
        + "\n".join(body)
        + f"\n</main>\n<script>{SCRIPT}</script>\n{script}</body>\n</html>\n"
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, sort: bool = True) -> Html:
    """A table that a click on a head sorts; numbers are aligned to the right and shortened."""
    lines = [list(row) for row in rows]
    right = [
        bool(lines) and all(_is_number(row[at]) or row[at] in {None, ""} for row in lines)
        for at in range(len(columns))
    ]
    heads = [
        element("th", name, class_="n" if right[at] else None, data_sort=sort, scope="col")
        for at, name in enumerate(columns)
    ]
    body = [
        element("tr", *[_cell(cell, right[at]) for at, cell in enumerate(row)]) for row in lines
    ]
    whole = element(
        "table", element("thead", element("tr", *heads)), Html("<tbody>"), join(body, "\n"),
        Html("</tbody>"),
    )  # fmt: skip
    return element("div", whole, class_="scroll")


def cards(pairs: Mapping[str, object]) -> Html:
    """Figures that matter most, each under its name."""
    entries = [
        element("div", element("dt", name), element("dd", _shown(value)))
        for name, value in pairs.items()
    ]
    return element("dl", *entries, class_="cards")


def badge(words: str, tone: str = "") -> Html:
    """A word in a coloured pill; `tone` is `good`, `bad`, `unsure` or nothing."""
    return element("span", words, class_=f"badge {tone}".strip())


def code(value: object) -> Html:
    return element("code", value)


def paragraph(*parts: object) -> Html:
    return element("p", *parts)


def figure(drawing: Html, title: str = "", caption: str = "") -> Html:
    """A plot or an image with its title above and its caption below."""
    above = element("h3", title) if title else ""
    below = element("figcaption", caption) if caption else ""
    return element("figure", above, drawing, below)


def grid(figures: Iterable[Html]) -> Html:
    """Figures beside one another where there is room."""
    return element("div", *figures, class_="grid")


def image(data: bytes, suffix: str, title: str) -> Html:
    """An image inside the page. Raises KeyError for a suffix that is not in IMAGE_TYPES."""
    encoded = base64.b64encode(data).decode("ascii")
    return element("img", src=f"data:{IMAGE_TYPES[suffix.lower()]};base64,{encoded}", alt=title)


def _cell(value: object, right: bool) -> Html:
    if isinstance(value, Cell):
        side = "n" if value.right or right else None
        return element("td", value.shown, class_=side, data_value=str(value.value))
    if _is_number(value):
        return element("td", _shown(value), class_="n" if right else None, data_value=repr(value))
    return element("td", _shown(value), class_="n" if right else None)


def _is_number(value: object) -> bool:
    if isinstance(value, Cell):
        return value.right
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> object:
    if value is None:
        return "–"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(float(value)) if abs(value) < 1e300 else str(value)
    return value


def _anchors(titles: Sequence[str]) -> list[str]:
    taken: list[str] = []
    for title in titles:
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        count = sum(1 for other in taken if other == slug or other.startswith(f"{slug}--"))
        taken.append(f"{slug}--{count + 1}" if count else slug)
    return taken
