"""Words and numbers as every verb writes them: durations, counts, clipped lines."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from typing import Any

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def duration(seconds: float) -> str:
    """`0.4s`, `12.3s`, `1m 50s`, `2h 05m`, `3d 04h`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    minutes = whole // 60
    if minutes < 24 * 60:
        return f"{minutes // 60}h {minutes % 60:02d}m"
    return f"{minutes // 1440}d {minutes % 1440 // 60:02d}h"


def count(number: int, noun: str) -> str:
    """`1 stage`, `2 stages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def kinds(addresses: Sequence[str]) -> str:
    """What they are: `stages`, `data files` (of which a `.dvc` file is the address), or both."""
    data = sum(address.endswith(".dvc") for address in addresses)
    if not data:
        return "stages"
    return "data files" if data == len(addresses) else "stages and data files"


def counted(addresses: Sequence[str]) -> str:
    """`1 stage`, `2 data files`, `3 stages and data files`."""
    kind = kinds(addresses)
    return f"{len(addresses)} {kind.removesuffix('s') if len(addresses) == 1 else kind}"


def clip(text: str, width: int) -> str:
    """`text` in at most `width` characters, with `…` where it was cut."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def some(names: list[str], limit: int = 3) -> str:
    """`a, b, c`, and with more names than `limit`: `a, b, c and 9 more`."""
    if len(names) <= limit + 1:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def value_text(value: Any, longest: int = 40) -> str:
    """A parameter's value as YAML would write it on one line."""
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        return clip(value, longest)
    return clip(json.dumps(value, ensure_ascii=False, default=str), longest)


def visible(line: str) -> str:
    """What a terminal would show of a line at its end: the part after the last carriage return.

    Colours and other control sequences are dropped, so that a stage cannot move our cursor.
    """
    parts = [part for part in line.rstrip("\r\n").split("\r") if part]
    plain = _ESCAPES.sub("", parts[-1] if parts else "")
    return _CONTROLS.sub("", plain.expandtabs())


def width() -> int | None:
    """The columns of the terminal, or None in a pipe, where lines stay whole."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else None
