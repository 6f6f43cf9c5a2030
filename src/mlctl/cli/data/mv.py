"""`mlctl data mv`: move tracked data."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet

app = typer.Typer()


@app.command()
def mv(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Tracked data.")],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Its new path, or an existing folder.")
    ],
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Move tracked data with its `.dvc` file and its `.gitignore` entry, as `dvc move` does.

    Examples:

        $ mlctl data mv data/raw.csv data/2026/raw.csv
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.versions.move import move
    from mlctl.pipeline.project import Project

    old, new = move(Project.open(), source, target)
    if json:
        print_json("data.mv", {"source": old, "target": new})
    elif not quiet:
        say(f"moved  {old}  to  {new}")
    return 0
