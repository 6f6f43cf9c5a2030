"""Why a file is no table, and where: Polars says neither in words that help.

Nothing here is read unless there is a fault, or a reason to look for one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from mlctl.errors import InvalidInput

StrPath = str | os.PathLike[str]
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NAME = re.compile(r"column with name '(.*)' has more than one occurrence")
_HEAD = 1 << 20


class Unreadable(InvalidInput):
    """A file whose bytes are no table; `detail` says why, `column` is one that stands twice."""

    def __init__(self, path: StrPath, detail: str, *, column: str = "") -> None:
        super().__init__(f"{path}: cannot be read as a table: {detail}")
        self.detail = detail
        self.column = column


def check_start(path: StrPath) -> None:
    """Raise Unreadable for an empty file, UTF-16, or a header that names a column twice.

    Raises OSError for a file that cannot be opened.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise Unreadable(path, "the file is empty")
    separator = _SEPARATORS.get(Path(path).suffix.lower())
    if separator is None:
        return
    if head.startswith(_UTF_16):
        raise Unreadable(path, "the text is UTF-16; save it as UTF-8")
    line = head.partition(b"\n")[0]
    if "\ufffd" in line.decode("utf-8", "replace"):  # Polars would take it for a name
        check_text(path)
    text = io.StringIO(head.decode("utf-8-sig", "replace"))
    try:
        with _any_width():
            names = next(csv.reader(text, delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise Unreadable(path, f"line 1: {error}") from None
    if not names:
        raise Unreadable(path, "line 1 is empty, where the header is expected")
    for name, count in Counter(names).items():
        if count > 1:
            raise _twice(path, name)


def explained(path: StrPath, said: str) -> Unreadable:
    """What is wrong with a file that Polars does not read, of which it `said` something."""
    ending = Path(path).suffix.lower()
    try:
        if ending in _SEPARATORS:
            check_text(path)
        elif ending in {".jsonl", ".ndjson"}:
            _check_json(path)
        elif name := _NAME.search(said):
            return _twice(path, name[1])
    except Unreadable as found:
        return found
    return Unreadable(path, _first_line(said))


def check_text(path: StrPath) -> None:
    """Raise Unreadable for a CSV or TSV with a row of another width than its header's.

    So it does for bytes that are not UTF-8, and for a quote that does not end. Lines are counted
    from 1, the header's.
    """
    separator = _SEPARATORS[Path(path).suffix.lower()]
    width = 0
    with open(path, "rb") as binary, _any_width():
        rows = csv.reader(_decoded(path, binary), delimiter=separator, strict=True)
        line = 1
        try:
            for row in rows:
                width = width or len(row)
                if len(row) != width and (row or width > 1):
                    raise Unreadable(path, f"line {line} {_fields(row)}, the header has {width}")
                line = rows.line_num + 1
        except csv.Error as error:
            raise Unreadable(path, f"line {line}: {error}") from None


def _decoded(path: StrPath, file: io.BufferedReader) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            _not_utf8(path, number, error)


def _check_json(path: StrPath) -> None:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                value = json.loads(line, parse_constant=_refuse) if line.strip() else {}
            except UnicodeDecodeError as error:
                _not_utf8(path, number, error)
            except ValueError as error:
                raise Unreadable(path, f"line {number} is not JSON: {error}") from None
            if not isinstance(value, dict):
                raise Unreadable(path, f"line {number} is not an object of names and values")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _not_utf8(path: StrPath, line: int, error: UnicodeDecodeError) -> NoReturn:
    byte = error.object[error.start]
    place = f"line {line}, byte {error.start + 1}"
    raise Unreadable(path, f"{place}: 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def _twice(path: StrPath, name: str) -> Unreadable:
    return Unreadable(path, f"more than one column is called {name!r}", column=name)


def _fields(row: list[str]) -> str:
    if not row:
        return "is empty"
    return f"has {len(row)} field{'s' * (len(row) != 1)}"


def _first_line(said: str) -> str:
    return said.strip().split("\n")[0].removeprefix("parquet: ") or "unknown reason"


@contextmanager
def _any_width() -> Iterator[None]:
    """Fields of any length: the limit of `csv` is meant for other uses."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
