"""`mlctl data remote ls`"""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def ls(json: Json = False, directory: Directory = None) -> int:
    """List the remotes, and of their settings the names; the default one has a star.

    Examples:

        $ mlctl data remote ls
    """
    from mlctl.adapters.remote_config import remotes
    from mlctl.adapters.remotes import without_secrets
    from mlctl.cli._output import print_json, say
    from mlctl.store.config import find_root

    found = remotes(find_root("."))
    if json:
        rows = [
            {
                "name": item.name,
                "url": without_secrets(item.url),
                "default": item.default,
                "options": sorted(item.options),
            }
            for item in found
        ]
        print_json("data.remote.ls", {"remotes": rows})
        return 0
    width = max((len(item.name) for item in found), default=0)
    for item in found:
        star = "*" if item.default else " "
        more = f"  ({', '.join(sorted(item.options))})" if item.options else ""
        say(f"{star} {item.name:<{width}}  {without_secrets(item.url)}{more}")
    if not found:
        say("no remotes; `mlctl data remote add --default NAME URL` adds one")
    return 0
