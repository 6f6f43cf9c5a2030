"""`mlctl unfreeze`"""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def unfreeze(
    stages: Annotated[list[str], typer.Argument(help="Stages, or .dvc files.")],
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Unfreeze stages: they are run again when they are changed.

    Examples:

        $ mlctl unfreeze prepare
    """
    from mlctl.cli._output import print_json, say
    from mlctl.pipeline.freeze import set_frozen
    from mlctl.pipeline.project import Project

    changed = set_frozen(Project.open(), stages, frozen=False)
    if json:
        print_json("unfreeze", {"changed": changed})
    for address in [] if json else changed or ["nothing to do"]:
        say(f"unfroze {address}" if changed else address)
    return 0
