"""`mlctl exp apply`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, RunName

app = typer.Typer()


@app.command()
def apply(
    run: RunName = "last",
    force: Annotated[
        bool,
        typer.Option("--force", "-f", help="Replace uncommitted changes (kept aside)."),
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Bring a run's parameters and outs into the workspace.

    Writes the parameters files, checks the outs out of the cache, and writes the run's entries of
    `dvc.lock`, so that `dvc status` and `mlctl status` judge by that run. The code stays as it is:
    where it is another than the run's, they say so.

    Examples:

        $ mlctl exp apply K3F9QZ

        $ mlctl exp apply last~1 --force
    """
    import os
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say
    from mlctl.cli._text import some
    from mlctl.experiments.again.applying import apply as bring
    from mlctl.experiments.again.side import load_side
    from mlctl.records.ulid import short_form
    from mlctl.store.config import find_root

    root = find_root(os.getcwd())
    side = load_side(root, run)
    done = bring(root, side, force=force)
    if json:
        print_json("exp.apply", {"run": side.head.id, **asdict(done)})
        return 0
    written = [*done.params, *done.outs, *done.locks]
    name = short_form(side.head.id)
    say(f"Run {name}: wrote {some(written, 8)}." if written else f"All is as run {name} had it.")
    if done.left:
        say(f"Not restored, as git has it in no commit with the record: {some(list(done.left))}.")
    if done.unknown:
        say(f"The pipeline has no stage {some(list(done.unknown))} any more.")
    if done.aside:
        say(f"What was replaced is in {done.aside}.")
    return 0
