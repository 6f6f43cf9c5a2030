"""`mlctl data remote add`"""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data.remote._levels import FILES, Global, Local, level_of

app = typer.Typer()


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="A folder, ssh://HOST/PATH, s3://BUCKET/PATH, …")
    ],
    default: Annotated[
        bool, typer.Option("-d", "--default", help="Use it where no remote is named.")
    ] = False,
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace one of this name.")] = False,
    local: Local = False,
    everywhere: Global = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Add a remote, as `dvc remote add` does.

    Examples:

        $ mlctl data remote add --default store /mnt/nas/dvc

        $ mlctl data remote add backup ssh://host/srv/dvc
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.versions import remote
    from mlctl.store.config import find_root

    level = level_of(local, everywhere)
    remote.add(find_root("."), name, url, default=default, force=force, level=level)
    if json:
        print_json("data.remote.add", {"name": name.lower(), "url": url, "file": FILES[level]})
    else:
        say(f"added {name.lower()} to {FILES[level]}{', the default' if default else ''}")
    return 0
