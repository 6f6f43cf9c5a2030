"""`mlctl merge-lock`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def merge_lock(
    base: Annotated[str, typer.Argument(metavar="BASE", help="Git's %O: the common ancestor.")],
    ours: Annotated[str, typer.Argument(metavar="OURS", help="Git's %A: takes the result.")],
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="Git's %B: the other side.")],
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="Git's %P: the file's name, for messages.")
    ] = "dvc.lock",
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Merge a `dvc.lock` stage by stage; git calls it, as a merge driver.

    `mlctl init --merge-driver` sets git up for it. An entry is taken whole from the side that
    changed it. Where both sides changed it differently it is dropped, and that stage is derived
    again by the next `mlctl run`, from the run-cache where that has it.

    Examples:

        $ git config merge.dvc-lock.driver 'mlctl merge-lock %O %A %B %P'

        $ mlctl merge-lock base.lock ours.lock theirs.lock
    """
    from mlctl.cli._output import print_json
    from mlctl.errors import InvalidInput
    from mlctl.pipeline.mending import merge_files, summary

    try:
        merge = merge_files(base, ours, theirs, path)
    except OSError as error:
        raise InvalidInput(f"{error.filename}: {error.strerror}") from None
    if json:
        data = {"lock": path, "kept": list(merge.kept), "dropped": list(merge.dropped)}
        print_json("merge-lock", data)
    elif merge.dropped:
        sys.stderr.write(f"{summary(path, merge)}\n")
    return 0
