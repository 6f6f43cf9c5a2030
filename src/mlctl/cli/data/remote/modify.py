"""`mlctl data remote modify`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data.remote._levels import FILES, Global, Local, level_of

app = typer.Typer()


@app.command()
def modify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The remote.")],
    option: Annotated[str, typer.Argument(metavar="OPTION", help="user, keyfile, profile, …")],
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", help="Without it, it is read from stdin."),
    ] = None,
    unset: Annotated[bool, typer.Option("-u", "--unset", help="Remove the option.")] = False,
    local: Local = False,
    everywhere: Global = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Set an option of a remote, as `dvc remote modify` does.

    Secrets (passwords, keys, tokens) go to `.dvc/config.local` whatever is asked, so that git never
    sees them. Without a value, a terminal asks for it and does not show it.

    Examples:

        $ mlctl data remote modify backup user alice

        $ mlctl data remote modify backup password < secret.txt
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.versions import remote
    from mlctl.store.config import find_root

    if value is None and not unset:
        value = _asked(f"{option} of {name}: ")
    level = remote.modify(
        find_root("."), name, option, None if unset else value, level=level_of(local, everywhere)
    )
    if json:
        facts = {"name": name.lower(), "option": option, "file": FILES[level]}
        print_json("data.remote.modify", {**facts, "unset": unset})
    else:
        say(f"{'unset' if unset else 'set'} {option} of {name.lower()} in {FILES[level]}")
    return 0


def _asked(prompt: str) -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\n")
