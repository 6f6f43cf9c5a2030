"""`mlctl exp pack`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def pack(
    before: Annotated[
        str | None, typer.Option("--before", metavar="DATE", help="Runs that began before it.")
    ] = None,
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="Or older than so much: 90d, 6mo, 1y."),
    ] = "90d",
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Fold the records of old runs into files of a month: `runs/202611.0123abcd.jsonl`.

    They are listed, shown and tagged as before; a repository of many runs has fewer files. Whoever
    is killed meanwhile loses nothing.

    Examples:

        $ mlctl exp pack

        $ mlctl exp pack --before 2026-11-01
    """
    from dataclasses import asdict

    from mlctl.adapters.clock import now
    from mlctl.cli._output import print_json, say
    from mlctl.cli._text import count
    from mlctl.cli.exp import _saying
    from mlctl.experiments.packing import pack_runs
    from mlctl.experiments.where.sql import moment
    from mlctl.projects.settings import load_settings

    root = _saying.runs_root()
    option, text = ("--before", before) if before else ("--older-than", older_than)
    done = pack_runs(root, moment(text, now(), option))
    made = _saying.commit_said(root, done.changed, f"Pack the records of {len(done.runs)} runs")
    if json:
        print_json("exp.pack", {**asdict(done), **_saying.commit_json(made)})
        return 0
    packs = f" into {', '.join(done.made)}" if done.made else ""
    say(f"Packed {count(len(done.runs), 'run')}{packs}.")
    if not done.runs and load_settings(root).records_branch:
        say("Records on the branch mlctl/runs stay as they are.")
    for said in done.damaged:
        say(f"Not packed: {said}")
    if made is not None and made.reason is not None:
        say(f"Not committed: {made.reason}.")
    return 0
