"""The rows of a query from an SQLite file, which is opened for reading only."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote

from adbc_driver_manager import Error
from adbc_driver_sqlite import dbapi

from mlctl.data.source import Fetched
from mlctl.data.sources import _sql
from mlctl.errors import InvalidInput


def fetch_query(reference: str, query: str, folder: Path) -> Fetched:
    """Run the query on the file `reference` (an absolute path, also as `///path`)."""
    path = unquote(reference.removeprefix("//"))
    name = os.path.basename(path)
    if not os.path.isfile(path):
        raise InvalidInput(f"{path}: {'a folder' if os.path.isdir(path) else 'no such file'}")
    with open(path, "rb") as file:
        if file.read(15) != b"SQLite format 3":
            raise InvalidInput(f"{path}: not an SQLite database")
    target = folder / "rows.parquet"
    try:
        connection = dbapi.connect(f"file:{quote(path)}?mode=ro")
    except Error as error:
        raise _sql.connection_refused(error, name) from None
    with closing(connection):
        _sql.write_rows(connection, query, target, name=name)
    return Fetched(target, f"sqlite:{name}")
