"""`mlctl data ls`: the data that is tracked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.data.tracking import Tracked

app = typer.Typer()


@app.command()
def ls(directory: Directory = None, json: Json = False) -> int:
    """List the data that `.dvc` files track: size, files, origin and whether it changed.

    Examples:

        $ mlctl data ls
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data import tracking
    from mlctl.store.config import find_root

    tracked = tracking.ls(find_root("."))
    if json:
        print_json("data.ls", {"data": [asdict(item) for item in tracked]})
    elif not tracked:
        say("no data is tracked; `mlctl data add` tracks a file")
    else:
        _show(tracked)
    return 0


def _show(tracked: list[Tracked]) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console
    from mlctl.reports.scales import size_text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("path", "size", "files", "origin", "state"):
        table.add_column(name, justify="right" if name in {"size", "files"} else "left")
    styles = {"ok": "green", "modified": "yellow", "missing": "red"}
    for item in tracked:
        size = "-" if item.size is None else size_text(item.size)
        state = Text(item.state, style=styles[item.state])
        table.add_row(Text(item.path), size, str(item.files or 1), item.source or "-", state)
    console().print(table)
