"""`mlctl data update`: refresh imports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._query import Rev

app = typer.Typer()


@app.command()
def update(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Imported data.")],
    rev: Rev = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what was changed since.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Fetch imported data again from where it came, and say whether it changed.

    What `dvc import` and `dvc import-url` made is refreshed by `dvc update`.

    Examples:

        $ mlctl data update data/orders.parquet

        $ mlctl data update data/raw.csv --rev v2
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.data._show import described
    from mlctl.data import updating
    from mlctl.data.paths import from_root
    from mlctl.store.config import find_root

    root = find_root(".")
    done = updating.update(root, [from_root(root, path) for path in paths], rev=rev, force=force)
    if json:
        print_json("data.update", {"updated": [asdict(item) for item in done]})
    elif not quiet:
        for item in done:
            word = "unchanged" if item.change == "unchanged" else "changed"
            say(f"{word:<9}  {item.path}  {described(item)}")
    return 0
