"""`mlctl exp ls`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def ls(
    directory: Directory = None,
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", min=1, help="How many runs.")
    ] = 20,
    all_runs: Annotated[bool, typer.Option("--all", "-a", help="Every run.")] = False,
    json: Json = False,
) -> int:
    """List the recorded runs, newest first.

    Shows the metrics, and of the parameters those that differ between the runs, as the terminal has
    room for. A run goes by its short id, which is characters 11 to 16 of its id, by the start of
    either, by `last`, or by `last~1`, the one before.

    Examples:

        $ mlctl exp ls

        $ mlctl exp ls -n 5 --json
    """
    import os
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say
    from mlctl.experiments.query import count_runs, list_runs
    from mlctl.records.canonical import plain
    from mlctl.store.config import find_root

    root = find_root(os.getcwd())
    heads = list_runs(root, limit=None if all_runs else number)
    total = len(heads) if all_runs else count_runs(root)
    if json:
        print_json("exp.ls", {"total": total, "runs": plain([asdict(head) for head in heads])})
    elif not heads:
        say("No runs are recorded yet. `mlctl run` records one when a stage runs.")
    else:
        import shutil

        from mlctl.adapters.clock import now
        from mlctl.cli.exp._table import table_lines

        width = shutil.get_terminal_size((160, 24)).columns
        for line in table_lines(heads, now=now(), width=width, total=total):
            say(line)
    return 0
