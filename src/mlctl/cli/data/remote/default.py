"""`mlctl data remote default`"""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data.remote._levels import FILES, Global, Local, level_of

app = typer.Typer()


@app.command()
def default(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The remote.")] = None,
    unset: Annotated[bool, typer.Option("-u", "--unset", help="Have no default.")] = False,
    local: Local = False,
    everywhere: Global = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Show the default remote, or make NAME the default.

    Examples:

        $ mlctl data remote default store
    """
    from mlctl.adapters.remote_config import remotes, set_default
    from mlctl.cli._output import print_json, say
    from mlctl.store.config import find_root

    root, level = find_root("."), level_of(local, everywhere)
    if name is not None or unset:
        set_default(root, None if unset else name, level=level)
    now = next((item.name for item in remotes(root) if item.default), None)
    if json:
        print_json("data.remote.default", {"default": now, "file": FILES[level]})
    else:
        say(now or "no remote is the default")
    return 0
