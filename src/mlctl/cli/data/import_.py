"""`mlctl data import`: fetch data from a source and track it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def import_(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="sklearn:NAME, a URL, or a file's path.")
    ],
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="Where to put it; the ending names the format.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite a file that is tracked nowhere.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Fetch data from a source, track it with DVC and keep where it came from.

    Importing to the same path again refreshes it, and says whether it changed.

    Examples:

        $ mlctl data import sklearn:breast_cancer data/raw.csv

        $ mlctl data import https://example.org/prices.csv data/prices.parquet
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.data._show import described
    from mlctl.data.importing import import_data
    from mlctl.data.paths import from_root
    from mlctl.store.config import find_root

    root = find_root(".")
    done = import_data(root, source, from_root(root, path), force=force)
    if json:
        print_json("data.import", {**asdict(done.added), "origin": dict(done.origin)})
    else:
        word = {"added": "imported", "updated": "changed"}.get(done.added.change, "unchanged")
        say(f"{word}  {done.added.path}  {described(done.added)}  from {done.origin['source']}")
    return 0
