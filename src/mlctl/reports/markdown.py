"""Markdown (GitHub's) with every value escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

# `@` would notify people and `#12` link issues where a report is pasted into a pull request.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~@#$&])")
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def escape(value: object) -> str:
    """`value` as plain text in one line: nothing in it is markup, a table's bar least of all."""
    flat = _UNWRITABLE.sub("\ufffd", " ".join(str(value).split()))
    plain = _SPECIAL.sub(r"\\\1", flat)
    return re.sub(r"^(\d+)([.)])(?=\s|$)|^([+-])(?=\s|$)", r"\1\\\2\3", plain) if plain else plain


def code(value: object) -> str:
    """`value` as inline code in one line, with as many backticks as it needs."""
    flat = _UNWRITABLE.sub("\ufffd", " ".join(str(value).split()))
    longest = max((len(run) for run in re.findall("`+", flat)), default=0)
    fence, pad = "`" * (longest + 1), " " if flat.startswith("`") or flat.endswith("`") else ""
    # GitHub splits table cells at a bar even inside code.
    return f"{fence}{pad}{flat}{pad}{fence}".replace("|", "\\|") if flat else ""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: str = "") -> str:
    """A pipe table; cells that are numbers or strings are escaped, `Raw` cells are not.

    `right` holds an `r` for each column that is aligned to the right (`"  rr"`).
    """
    marks = ["---:" if right[at : at + 1] == "r" else "---" for at in range(len(columns))]
    lines = [_row([escape(name) for name in columns]), _row(marks)]
    lines += [
        _row([cell if isinstance(cell, Raw) else escape(cell) for cell in row]) for row in rows
    ]
    return "\n".join(lines) + "\n"


class Raw(str):
    """Markdown that may stand in a table as it is."""

    __slots__ = ()


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
