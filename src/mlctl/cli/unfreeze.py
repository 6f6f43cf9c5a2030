"""`mlctl unfreeze`"""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json, Stages

app = typer.Typer()


@app.command()
def unfreeze(
    stages: Stages,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Unfreeze stages: they are run again when they are changed.

    Examples:

        $ mlctl unfreeze prepare
    """
    from mlctl.cli._freezing import set_frozen

    return set_frozen(stages, frozen=False, json=json)
