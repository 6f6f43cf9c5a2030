"""The rows of a query from PostgreSQL, in a transaction that only reads.

The URL names host, port, user and database; what it leaves out comes from libpq's variables. The
password comes from `PGPASSWORD` or `~/.pgpass`, never from the URL, which would be kept.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from adbc_driver_manager import Error
from adbc_driver_postgresql import dbapi

from mlctl.data.source import Fetched
from mlctl.data.sources import _sql
from mlctl.errors import InvalidInput


def fetch_query(reference: str, query: str, folder: Path) -> Fetched:
    """Run the query on the database `reference` (`//user@host:port/name`)."""
    parts = urlsplit(f"postgresql:{reference}")
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise InvalidInput(
            "a password does not belong into a URL, which shells and pointers keep",
            hint="export PGPASSWORD, or write it into ~/.pgpass",
        )
    url = urlunsplit(parts)
    public = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    target = folder / "rows.parquet"
    try:
        connection = dbapi.connect(url)
    except Error as error:
        raise _sql.connection_refused(error, public) from None
    with closing(connection):
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        _sql.write_rows(connection, query, target, name=public)
    return Fetched(target, public)
