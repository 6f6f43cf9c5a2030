"""`mlctl data rm`: stop tracking data."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import Force

app = typer.Typer()


@app.command()
def rm(
    targets: Annotated[
        list[str], typer.Argument(metavar="TARGET...", help="Tracked data, or .dvc files.")
    ],
    outs: Annotated[bool, typer.Option("--outs", help="Remove the data itself too.")] = False,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Stop tracking data, as `dvc remove` does; the files stay, unless `--outs`.

    With `--outs` the data goes too, where the cache has it; `mlctl data gc` frees the cache.

    Examples:

        $ mlctl data rm data/old.csv

        $ mlctl data rm data/images.dvc --outs
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.versions.untrack import untrack
    from mlctl.pipeline.project import Project

    keys = untrack(Project.open(), targets, outs=outs, force=force)
    if json:
        print_json("data.rm", {"removed": keys, "outs": outs})
    elif not quiet:
        for key in keys:
            say(f"{'removed' if outs else 'no longer tracked'}  {key}")
    return 0
