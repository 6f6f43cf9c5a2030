"""A fast writer for the plain part of YAML, with the bytes that ruamel's dumper gives to it.

ruamel needs milliseconds for a stage, this writer microseconds. It refuses what it does not
surely write as ruamel does (quoting, escapes, rare floats, dates) by raising NotPlain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from mlctl.adapters.yaml import reads_as_str

WIDTH = 80  # ruamel's best width: words beyond it go to the next line

# Words of printable ASCII and common letters, one space apart, no `: `, ` #` or leading indicator.
_PLAIN = re.compile(
    r"(?!\.\.\.)[A-Za-z0-9_./$(+\u00c0-\u024f\u0391-\u03c9\u0410-\u044f\u4e00-\u9fa5]"
    r"(?:[!-9;-~\u00c0-\u024f\u0391-\u03c9\u0410-\u044f\u4e00-\u9fa5]|:(?![ ]|$)| (?![ #]|$))*"
)
_KEY = re.compile(r"(?:\.{0,2}/|[A-Za-z_])[A-Za-z0-9_./@+=,-]{0,80}")
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+")


class NotPlain(Exception):
    """The value needs ruamel's writer."""


@lru_cache(maxsize=4096)
def is_plain_key(key: str) -> bool:
    """Whether `key` is surely written without quotes, on the line of its value."""
    return _KEY.fullmatch(key) is not None and reads_as_str(key)


def mapping_lines(items: Mapping[Any, Any], indent: int) -> list[str]:
    """The lines (each with its newline) of a block mapping. Raises NotPlain."""
    pad = " " * indent
    lines: list[str] = []
    for key, value in items.items():
        if not (isinstance(key, str) and is_plain_key(key)):
            raise NotPlain
        lines += _node(f"{pad}{key}:", value, indent, in_sequence=False)
    return lines


def _sequence_lines(values: Sequence[Any], indent: int) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    for value in values:
        if value and isinstance(value, (Mapping, list, tuple)):
            inner = _collection(value, indent + 2)
            lines.append(f"{pad}- {inner[0][indent + 2 :]}")
            lines += inner[1:]
        else:
            lines += _node(f"{pad}-", value, indent, in_sequence=True)
    return lines


def _collection(value: Mapping[Any, Any] | Sequence[Any], indent: int) -> list[str]:
    if isinstance(value, Mapping):
        return mapping_lines(value, indent)
    return _sequence_lines(value, indent)


def _node(head: str, value: Any, indent: int, *, in_sequence: bool) -> list[str]:
    if isinstance(value, str):
        return [f"{head}{plain(value, len(head), indent + 2)}\n"]
    if isinstance(value, Mapping):
        return [f"{head}\n", *mapping_lines(value, indent + 2)] if value else [f"{head} {{}}\n"]
    if isinstance(value, (list, tuple)):
        return [f"{head}\n", *_sequence_lines(value, indent)] if value else [f"{head} []\n"]
    if value is None:
        return [f"{head} \n" if in_sequence else f"{head}\n"]
    word = _word(value)
    if len(head) + 1 + len(word) > WIDTH:
        raise NotPlain
    return [f"{head} {word}\n"]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is float and _FLOAT.fullmatch(repr(value)):
        return repr(value)
    raise NotPlain


def plain(value: str, column: int, indent: int) -> str:
    """` value` as it stands after `column` characters of its line, folded into lines at `indent`.

    Raises NotPlain where ruamel would quote it.
    """
    if not _is_plain(value):
        raise NotPlain
    if column + 1 + len(value) <= WIDTH:
        return f" {value}"
    return fold(value.split(" "), column, indent)


@lru_cache(maxsize=4096)  # a stage is written twice: into the lock and into the run-cache
def _is_plain(value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None and reads_as_str(value)


def fold(words: Iterable[str], column: int, indent: int) -> str:
    """The words as ruamel folds a plain scalar: it breaks before a word that ends beyond WIDTH."""
    pieces = [" "]
    newline = "\n" + " " * indent
    column += 1
    for number, word in enumerate(words):
        if number and column >= WIDTH:
            pieces.append(newline)
            column = indent
        elif number:
            pieces.append(" ")
            column += 1
        if column + len(word) > WIDTH and column > indent:
            pieces.append(newline)
            column = indent
        pieces.append(word)
        column += len(word)
    return "".join(pieces)
