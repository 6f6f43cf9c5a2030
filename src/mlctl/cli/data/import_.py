"""`mlctl data import`: fetch data from a source and track it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data._query import Query, QueryFile, Rev, query_of

app = typer.Typer()


@app.command()
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A file's path, a URL, sklearn:NAME, sqlite:FILE, postgresql://…, git+URL#PATH.",
        ),
    ],
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="Where to put it; the ending names the format.")
    ],
    query: Query = None,
    query_file: QueryFile = None,
    rev: Rev = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a file that is tracked nowhere.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Fetch data from a source, track it with DVC and keep where it came from.

    `mlctl data update PATH` fetches it again later. The rows of a query come in the order that it
    asks for, or without ORDER BY sorted by all columns. From another repository or a cloud the
    import is DVC's, so that `dvc update` knows it too.

    Examples:

        $ mlctl data import sklearn:breast_cancer data/raw.csv

        $ mlctl data import https://example.org/prices.csv data/prices.parquet

        $ mlctl data import git+https://example.org/repo.git#data/raw.csv data/raw.csv --rev v1

        $ mlctl data import postgresql://me@host/shop data/o.parquet --query 'SELECT * FROM orders'
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.data._show import described
    from mlctl.data.elsewhere import elsewhere, import_by_dvc
    from mlctl.data.importing import import_data
    from mlctl.data.paths import from_root
    from mlctl.errors import InvalidInput
    from mlctl.store.config import find_root

    root = find_root(".")
    key, wanted = from_root(root, path), query_of(query, query_file)
    place = elsewhere(source)
    if place is not None:
        if wanted is not None:
            raise InvalidInput(f"{source}: is no database, so it takes no query")
        added, origin = import_by_dvc(root, place, key, rev=rev, force=force), {"source": source}
    else:
        if rev is not None:
            raise InvalidInput("--rev is for git+URL#PATH")
        done = import_data(root, source, key, query=wanted, force=force)
        added, origin = done.added, dict(done.origin)
    if json:
        print_json("data.import", {**asdict(added), "origin": origin})
    else:
        word = {"added": "imported", "updated": "changed"}.get(added.change, "unchanged")
        say(f"{word}  {added.path}  {described(added)}  from {origin['source']}")
    return 0
