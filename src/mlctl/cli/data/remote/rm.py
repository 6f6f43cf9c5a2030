"""`mlctl data remote rm`"""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def rm(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The remote.")],
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Forget a remote and its secrets; what lies there stays.

    Examples:

        $ mlctl data remote rm backup
    """
    from mlctl.adapters.remote_config import remove
    from mlctl.cli._output import print_json, say
    from mlctl.store.config import find_root

    remove(find_root("."), name)
    if json:
        print_json("data.remote.rm", {"name": name.lower()})
    else:
        say(f"forgot {name.lower()}; what lies there stays")
    return 0
