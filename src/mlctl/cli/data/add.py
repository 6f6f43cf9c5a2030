"""`mlctl data add`: track files and folders with DVC."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet

app = typer.Typer()


@app.command()
def add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders.")],
    directory: Directory = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Track files and folders with DVC, as `dvc add` does; what is tracked already is updated.

    Examples:

        $ mlctl data add data/raw.csv

        $ mlctl data add data/images data/labels.jsonl
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data import tracking
    from mlctl.data.paths import from_root
    from mlctl.store.config import find_root

    root = find_root(".")
    keys = list(dict.fromkeys(from_root(root, path) for path in paths))
    added = tracking.add(root, keys)
    if json:
        print_json("data.add", {"added": [asdict(item) for item in added]})
    elif not quiet:
        from mlctl.cli.data._show import described

        width = max(len(item.path) for item in added)
        for item in added:
            say(f"{item.change:<9}  {item.path:<{width}}  {described(item)}")
    return 0
