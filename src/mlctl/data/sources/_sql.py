"""What the databases have in common: a query's rows as Parquet, in an order that does not vary."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
from adbc_driver_manager import Error

from mlctl.adapters import tables
from mlctl.errors import InvalidInput, NotAble

# Strings, quoted names and comments hide what stands in them; so do brackets.
_HIDDEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_BRACKETS = re.compile(r"\([^()]*\)")
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def is_ordered(query: str) -> bool:
    """Whether the query itself says in which order its rows come. Pure."""
    plain = _HIDDEN.sub(" ", query)
    while (shorter := _BRACKETS.sub(" ", plain)) != plain:
        plain = shorter
    return bool(_ORDERED.search(plain))


def write_rows(connection: Any, query: str, target: Path, *, name: str) -> None:
    """Write the rows of the query to `target`, sorted by all columns unless it orders them.

    Raises InvalidInput where the database refuses the query, NotAble where it breaks off.
    """
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(query)
            rows = pl.from_arrow(cursor.fetch_arrow())
            frame = rows.struct.unnest() if isinstance(rows, pl.Series) else rows
    except Error as error:
        raise _refusal(error, name) from None
    except pl.exceptions.DuplicateError:
        raise InvalidInput(
            f"{name}: two columns of the query have one name", hint="name them apart with AS"
        ) from None
    if not frame.width:
        raise InvalidInput(f"{name}: the query gives no columns", hint="is it a SELECT?")
    if not is_ordered(query):
        try:
            frame = frame.sort(frame.columns)
        except pl.exceptions.PolarsError as error:
            raise InvalidInput(
                f"{name}: its rows cannot be sorted ({error})", hint="add ORDER BY to the query"
            ) from None
    tables.write(frame, target)


def connection_refused(error: Error, name: str) -> NotAble:
    """The error for a database that cannot be reached or does not let us in."""
    return NotAble(f"{name}: {_first_line(error)}")


def _refusal(error: Error, name: str) -> InvalidInput | NotAble:
    broken = str(error.status_code).endswith(("UNAUTHENTICATED", "UNAUTHORIZED", "TIMEOUT"))
    kind = NotAble if broken else InvalidInput
    return kind(f"{name}: the query was refused: {_first_line(error)}")


def _first_line(error: Error) -> str:
    said = re.sub(r"^[A-Z_]+: ", "", str(error))
    return " ".join(said.partition("\nDetail")[0].split())[:300]
