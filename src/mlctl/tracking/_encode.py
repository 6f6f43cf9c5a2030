"""A logged step as a line of JSON, written by hand: `json.dumps` takes half of a call's time."""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional

from ._warn import warn

_EXACT = 2**53  # whole numbers up to this one are the same as floats
_MOST_NAMES = 10_000
_names: Dict[Any, str] = {}  # a metric's name, and it as a key of a JSON object


def metrics_line(metrics: Mapping[Any, Any], step: float, time: float) -> Optional[bytes]:
    """The line, with its newline; None where no value is a number.

    `time` is in seconds since 1970. What is not finite is a string, as in all of mlctl's records.
    """
    parts = []
    for name, value in metrics.items():
        if value.__class__ is float and value - value == 0.0:
            text = repr(value)
        else:
            said = number_text(value)
            if said is None:
                warn(f"value {name}", f"{name} is no number and is not logged: {value!r:.60}")
                continue
            text = said
        key = _names.get(name)
        parts.append((_key(name) if key is None else key) + text)
    if not parts:
        return None
    return b'{"metrics":{%s},"step":%s,"time":%.6f}\n' % (
        ",".join(parts).encode(),
        repr(step).encode(),
        time,
    )


def number(value: Any) -> Optional[float]:
    """A number, or what becomes one (`.item()` of numpy and torch, `float()`); else None."""
    if isinstance(value, (str, bytes)) or value is None:
        return None
    try:
        if hasattr(value, "item"):
            value = value.item()
        if isinstance(value, int) and -_EXACT <= value <= _EXACT:
            return int(value)
        return float(value)
    except Exception:  # whatever a foreign type raises
        return None


def number_text(value: Any) -> Optional[str]:
    """A number as JSON."""
    found = number(value)
    if found is None:
        return None
    if found - found == 0:
        return repr(found)
    return '"NaN"' if found != found else '"Infinity"' if found > 0 else '"-Infinity"'


def _key(name: Any) -> str:
    """The name as a key, remembered."""
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    text = json.dumps(printable(name)) + ":"
    _names[name] = text
    return text


def printable(name: Any) -> str:
    """A name that every encoding of Unicode can write."""
    return str(name).encode("utf-8", "replace").decode("utf-8")


def json_line(value: Any) -> bytes:
    """Any value as one line; what JSON does not know becomes a number or a text."""
    return json.dumps(value, default=_plain, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy, torch
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)
