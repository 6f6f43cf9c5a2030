"""`mlctl exp rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def rename(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its short id, its name, `last`, ….")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name that it gets.")],
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Give a run a name, or another one. It goes by that as well as by its id.

    Examples:

        $ mlctl exp rename last wide-net

        $ mlctl exp show wide-net
    """
    from mlctl.cli.exp import _saying
    from mlctl.experiments import events
    from mlctl.experiments.query import run_facts
    from mlctl.records.ulid import short_form

    root = _saying.runs_root()
    heads = _saying.found(root, [run])
    short = short_form(heads[0].id)
    before = events.name_of(heads[0].name, run_facts(root, heads[0].id))
    keys = events.rename(root, heads[0].id, name, before)
    made = _saying.commit_said(root, keys, f"Name run {short}: {name}")
    said = f"{short} is called {name} now." if keys else f"{short} is called {name} already."
    return _saying.tell("rename", heads, keys, made, json=json, text=said)
