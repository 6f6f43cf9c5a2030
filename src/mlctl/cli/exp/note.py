"""`mlctl exp note`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def note(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its short id, its name, `last`, ….")],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="The note; default: show what is noted.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Note something about a run, or show what was noted.

    A note is added to those that are there. `-` as the text reads it from the standard input.

    Examples:

        $ mlctl exp note last "the learning rate was too high"

        $ mlctl exp note last
    """
    import sys

    from mlctl.cli._output import print_json, say
    from mlctl.cli.exp import _saying
    from mlctl.experiments import events
    from mlctl.experiments.query import run_facts
    from mlctl.records.ulid import short_form

    root = _saying.runs_root()
    heads = _saying.found(root, [run])
    short = short_form(heads[0].id)
    if text is None:
        notes = run_facts(root, heads[0].id).notes
        if json:
            told = [{"text": it.value, "time": it.time} for it in notes]
            print_json("exp.note", {"runs": [heads[0].id], "notes": told})
            return 0
        for it in notes:
            say(f"{it.time[:16].replace('T', ' ')}  {it.value}")
        if not notes:
            say(f"Nothing is noted about {short}.")
        return 0
    keys = events.note(root, heads[0].id, sys.stdin.read() if text == "-" else text)
    made = _saying.commit_said(root, keys, f"Note about run {short}")
    return _saying.tell("note", heads, keys, made, json=json, text=f"Noted about {short}.")
