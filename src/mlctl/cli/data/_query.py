"""The query of a database, from the command line or a file."""

from __future__ import annotations

from typing import Annotated

import typer

Query = Annotated[
    str | None, typer.Option("--query", metavar="SQL", help="What to read from a database.")
]
QueryFile = Annotated[
    str | None, typer.Option("--query-file", metavar="FILE", help="The same from a file.")
]
Rev = Annotated[
    str | None, typer.Option("--rev", metavar="REV", help="Commit, branch or tag of a repository.")
]


def query_of(query: str | None, file: str | None) -> str | None:
    """The query, or None. Raises InvalidInput for both, or a file that is not there."""
    from mlctl.adapters.files import read_text
    from mlctl.errors import InvalidInput

    if file is None:
        return query
    if query is not None:
        raise InvalidInput("--query and --query-file are two ways to say one thing")
    try:
        return read_text(file).strip()
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInput(f"{file}: no such file") from None
