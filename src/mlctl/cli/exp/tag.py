"""`mlctl exp tag`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def tag(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its short id, its name, `last`, ….")],
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="One word or more each.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tags away.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Give a run tags, by which `exp ls --where` finds it.

    Examples:

        $ mlctl exp tag last baseline

        $ mlctl exp tag K3F9QZ baseline paper --remove

        $ mlctl exp ls --where 'tags contains baseline'
    """
    from mlctl.cli.exp import _saying
    from mlctl.experiments import events
    from mlctl.records.ulid import short_form

    root = _saying.runs_root()
    heads = _saying.found(root, [run])
    short = short_form(heads[0].id)
    keys = events.tag(root, [heads[0].id], tags, remove=remove)
    done = "Untag" if remove else "Tag"
    made = _saying.commit_said(root, keys, f"{done} run {short}: {', '.join(tags)}")
    said = f"{done}ged {short}: {', '.join(tags)}." if keys else "It is so already."
    return _saying.tell("tag", heads, keys, made, json=json, text=said)
