"""`mlctl exp capture`: for `mlctl.start_run`, which calls it."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command(hidden=True)
def capture(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run that goes on.")],
    directory: Directory = None,
    python: Annotated[
        str | None, typer.Option("--python", metavar="PATH", help="The interpreter that it has.")
    ] = None,
    json: Json = False,
) -> int:
    """Note the code and the packages that a script's run begins with.

    `mlctl.start_run` calls this beside the script, in the project's folder; nobody else need.

    Examples:

        $ mlctl exp capture -C PROJECT 01KAS0ME00RVN0000000000000 --python /usr/bin/python3
    """
    import os

    from mlctl.cli._output import print_json
    from mlctl.errors import InvalidInput
    from mlctl.experiments.adopting import capture as note
    from mlctl.records.ulid import is_ulid

    if not is_ulid(run):
        raise InvalidInput(f"{run!r} is no id of a run: it must be a ULID")
    note(os.getcwd(), run, python)
    if json:
        print_json("exp.capture", {"run": run})
    return 0
