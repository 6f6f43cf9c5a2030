"""`mlctl exp archive`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def archive(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Short ids, names, `last`.")],
    undo: Annotated[bool, typer.Option("--undo", help="List them again.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Leave runs out of `exp ls`, but for `exp ls --archived`. Nothing of them is removed.

    Examples:

        $ mlctl exp archive K3F9QZ 7T2MXA

        $ mlctl exp archive K3F9QZ --undo
    """
    from mlctl.cli._text import some
    from mlctl.cli.exp import _saying
    from mlctl.experiments import events
    from mlctl.records.ulid import short_form

    root = _saying.runs_root()
    heads = _saying.found(root, runs)
    keys = events.archive(root, [head.id for head in heads], undo=undo)
    shown = some([short_form(head.id) for head in heads])
    done = "Listed again" if undo else "Archived"
    made = _saying.commit_said(root, keys, f"{'Unarchive' if undo else 'Archive'} runs {shown}")
    text = f"{done}: {shown}." if keys else "It is so already."
    return _saying.tell("archive", heads, keys, made, json=json, text=text)
