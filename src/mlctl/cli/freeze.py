"""`mlctl freeze`"""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json, Stages

app = typer.Typer()


@app.command()
def freeze(
    stages: Stages,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Freeze stages: they are no longer run, whatever changes before them.

    Examples:

        $ mlctl freeze prepare
    """
    from mlctl.cli._freezing import set_frozen

    return set_frozen(stages, frozen=True, json=json)
