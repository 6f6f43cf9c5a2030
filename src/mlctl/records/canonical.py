"""Canonical JSON: one text for one value, so that records diff, merge and hash well."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_WORDS = ("NaN", "Infinity", "-Infinity")


def pretty(value: Any) -> str:
    """`value` as JSON with sorted keys, indented by one space, with a newline at the end."""
    text = json.dumps(plain(value), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def line(value: Any) -> str:
    """`value` as one line of JSON Lines, with sorted keys and its newline."""
    text = json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text + "\n"


def plain(value: Any) -> Any:
    """`value` as what JSON can say: NaN and infinities as strings, dates and the rest as text."""
    if isinstance(value, str):
        return _encodable(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else float_text(value)
    if isinstance(value, (dict, Mapping)):
        return {_encodable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    return _encodable(str(value))


def float_text(value: float) -> str:
    """How a number that JSON cannot say is written: `NaN`, `Infinity` or `-Infinity`."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def number(value: Any) -> float:
    """The number that stands in a record where only numbers stand; the inverse of `plain`.

    Raises ValueError for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if value in _WORDS:
        return float(value)
    raise ValueError(f"not a number: {value!r}")


def _encodable(text: str) -> str:
    """Bytes of a file name that are no UTF-8 come as lone surrogates, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
