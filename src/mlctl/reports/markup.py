"""Markup that is safe by its type: `Html` is written by us, everything else is escaped.

HTML and SVG are built from `element`, so that a hostile column name can never become a tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from math import isfinite

# XML 1.0 knows no other control characters; lone surrogates cannot be written as UTF-8.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"br", "hr", "img", "input", "meta"})
_SHAPES = frozenset({"path", "rect", "line", "circle"})  # of SVG, which may close themselves


class Html(str):
    """Markup that may stand in a page as it is."""

    __slots__ = ()


def escape(value: object) -> Html:
    """`value` as text for element content and quoted attributes; `Html` stays as it is."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(_UNWRITABLE.sub("\ufffd", str(value)), quote=True))


def join(parts: Iterable[object], separator: str = "") -> Html:
    """The escaped `parts`, one after the other."""
    return Html(escape(separator).join(escape(part) for part in parts))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """`<name a="…">children</name>`.

    `class_` is `class`, `stroke_width` is `stroke-width`; None and False leave an attribute out,
    floats are rounded to two decimals.
    """
    opening = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{opening}>")
    if not children and name in _SHAPES:
        return Html(f"<{opening}/>")
    return Html(f"<{opening}>{join(children)}</{name}>")


def number(value: float) -> str:
    """A coordinate: two decimals at most, no trailing zeros; 0 for what is not finite."""
    if not isfinite(value):
        return "0"
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _attribute(value: object) -> str:
    if value is True:
        return ""
    return (
        number(value)
        if isinstance(value, float)
        else html.escape(_UNWRITABLE.sub("\ufffd", str(value)), quote=True)
    )
