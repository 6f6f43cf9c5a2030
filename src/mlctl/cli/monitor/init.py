"""`mlctl monitor init`: propose a monitor from data."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it will be called.")],
    current: Annotated[
        str, typer.Option("--current", metavar="PATH", help="The data to watch: a file or a glob.")
    ],
    reference: Annotated[
        str | None,
        typer.Option("--reference", metavar="PATH", help="Default: the periods before each."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", metavar="PATH", help="Labels that come late.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the monitor.")] = False,
    dry: Annotated[
        bool, typer.Option("--dry", "--dry-run", help="Print it, and write nothing.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Look at data and propose monitors/NAME.yaml: times, ids, predictions, labels, slices.

    It is a start: read it and correct it.

    Examples:

        $ mlctl monitor init requests --current 'data/requests/*.parquet' --reference data/train.csv

        $ mlctl monitor init requests --current data/log.jsonl --dry
    """
    from pathlib import Path

    from mlctl.adapters import files
    from mlctl.cli._output import print_json, say
    from mlctl.errors import InvalidInput
    from mlctl.monitoring.parse import monitor_file, parse_monitor
    from mlctl.monitoring.proposing import propose
    from mlctl.store.config import find_root

    root, key = find_root("."), monitor_file(name)
    if Path(root, key).exists() and not (force or dry):
        raise InvalidInput(f"{key} is there already", hint="--force replaces it, --dry shows more")
    text = propose(root, current, reference, labels)
    parse_monitor(text, name=name)
    if not dry:
        files.write_text(Path(root, key), text)
    if json:
        print_json("monitor.init", {"path": key, "written": not dry, "text": text})
    elif dry:
        say(text.rstrip("\n"))
    else:
        say(f"{key} is written; `mlctl monitor run {name}` runs it")
    return 0
