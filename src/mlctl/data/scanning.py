"""Looking for personal data in tables that need no contract: `mlctl data scan`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlctl.data.table_files import find_tables, sources
from mlctl.errors import InvalidInput, suggestion

if TYPE_CHECKING:
    from mlctl.data.contracts.counting import Source


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data of a `kind` in a column of a file; `rows` are the first ones, from 1.

    `share` is that of the rows of all files; `values` are masked.
    """

    file: str
    column: str
    kind: str
    count: int
    share: float
    rows: tuple[int, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found, and how much it looked at."""

    files: int
    rows: int
    columns: int
    found: tuple[Found, ...]


def scan(data: Sequence[str], *, personal: Sequence[str] = ()) -> Scanned:
    """What stands in the tables `data`: paths of files or folders, or patterns.

    Columns named in `personal` are allowed to hold personal data. Raises InvalidInput where there
    is no such table or column, and for a file that cannot be read.
    """
    from mlctl.data.checks.checking import personal_findings
    from mlctl.data.checks.rows import Rows, Split

    paths: dict[str, None] = {}
    for path in data:
        files, missing = find_tables(".", path)
        if not files:
            raise InvalidInput(missing)
        paths |= dict.fromkeys(files)
    opened = tuple(sources(".", list(paths)))
    columns = _columns(opened)
    for name in personal:
        if name not in columns:
            raise InvalidInput(f"no column is called {name!r}", hint=suggestion(name, columns))
    rows = Rows([Split("", opened)], dict.fromkeys(columns, "any"))
    asked = [name for name in columns if name not in personal]
    names = list(paths)
    found = tuple(
        Found(
            names[item.source],
            item.column,
            item.check.removeprefix("personal: "),
            item.count,
            round(item.share, 6),
            tuple(rows.place(row, item.source) for row in item.rows),
            item.values,
        )
        for item in personal_findings(rows, asked)
        if item.source is not None
    )
    return Scanned(len(paths), rows.count, len(columns), found)


def _columns(opened: Sequence[Source]) -> list[str]:
    """The columns of all files, in order. Raises InvalidInput for one that is no table."""
    from mlctl.adapters import tables

    found: dict[str, None] = {}
    for source in opened:
        with tables.explaining(source.path or source.name):
            for part in source.parts():
                found |= dict.fromkeys(part.open().collect_schema())
    return list(found)
