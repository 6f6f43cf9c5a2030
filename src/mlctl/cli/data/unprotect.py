"""`mlctl data unprotect`: make data writable."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet

app = typer.Typer()


@app.command()
def unprotect(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET...", help="Data, outs, or files in them.")
    ],
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Make links to the cache plain, writable copies, as `dvc unprotect` does.

    Needed before editing data in place where `cache.type` is hardlink or symlink.

    Examples:

        $ mlctl data unprotect data/raw.csv
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.versions.untrack import unprotect as make_writable
    from mlctl.pipeline.project import Project

    keys = make_writable(Project.open(), targets)
    if json:
        print_json("data.unprotect", {"unprotected": keys})
    elif not quiet:
        for key in keys:
            say(f"writable  {key}")
    return 0
