"""`mlctl data get`: fetch data without tracking it."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data._query import Query, QueryFile, Rev, query_of

app = typer.Typer()


@app.command()
def get(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="As in `mlctl data import`; git+URL#PATH, …")
    ],
    out: Annotated[
        str | None,
        typer.Option("-o", "--out", metavar="PATH", help="Where to put it; default: its name."),
    ] = None,
    query: Query = None,
    query_file: QueryFile = None,
    rev: Rev = None,
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace what is there.")] = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Fetch data from a source, and track nothing; as `dvc get` and `dvc get-url` do.

    It needs no repository here.

    Examples:

        $ mlctl data get git+https://example.org/repo.git#models/model.txt --rev v1

        $ mlctl data get https://example.org/prices.csv -o prices.parquet
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data import getting

    path = getting.get(source, out, rev=rev, query=query_of(query, query_file), force=force)
    if json:
        print_json("data.get", {"source": source, "path": path})
    else:
        say(f"wrote {path}")
    return 0
