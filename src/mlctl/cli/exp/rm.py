"""`mlctl exp rm`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def rm(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Short ids, names, `last`.")],
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Also where git could not bring it back.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Remove the records of runs from the work tree; git still has those that were committed.

    A run that is kept, or that a registered model came from, stays. `exp archive` only leaves runs
    out of listings.

    Examples:

        $ mlctl exp rm K3F9QZ

        $ git checkout HEAD~1 -- runs/20261123/01KAS0ME00K3F9QZ0000000000
    """
    from mlctl.cli._text import some
    from mlctl.cli.exp import _saying
    from mlctl.experiments.removing import check_removable, remove_record
    from mlctl.records.ulid import short_form

    root = _saying.runs_root()
    heads = _saying.found(root, runs)
    check_removable(root, [head.id for head in heads], force=force)
    keys = [remove_record(root, head.id) for head in heads]
    shown = some([short_form(head.id) for head in heads])
    made = _saying.commit_said(root, keys, f"Remove the records of runs {shown}")
    before = "HEAD~1" if made is not None and made.commit else "HEAD"
    text = f"Removed {shown}."
    if not force:
        text += f" `git checkout {before} -- {keys[0]}` brings it back."
    return _saying.tell("rm", heads, keys, made, json=json, text=text)
