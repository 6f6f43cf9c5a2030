"""`mlctl data scan`: look for personal data in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.data.scanning import Scanned

app = typer.Typer()


@app.command()
def scan(
    data: Annotated[
        list[str], typer.Argument(metavar="DATA...", help="Tables, folders of them, or patterns.")
    ],
    personal: Annotated[
        list[str] | None,
        typer.Option("--personal", metavar="COLUMN", help="May hold personal data; repeatable."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with 1 if anything is found (for CI).")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Look for personal data in tables: mail, phone, cards, bank and national numbers, names.

    Check digits and ranges are verified, and values are shown masked. No contract is needed.

    Examples:

        $ mlctl data scan data/customers.csv

        $ mlctl data scan data --check
    """
    from dataclasses import asdict

    from mlctl.cli._output import print_json
    from mlctl.data import scanning

    scanned = scanning.scan(data, personal=personal or ())
    if json:
        print_json("data.scan", asdict(scanned))
    else:
        _show(scanned)
    return 1 if check and scanned.found else 0


def _show(scanned: Scanned) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console, say

    if scanned.found:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("file", "column", "kind", "rows", "share", "first rows", "masked"):
            right = name in {"rows", "share"}
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for item in scanned.found:
            shown = ", ".join(map(str, item.rows[:3])) + (", …" if item.count > 3 else "")
            cells = (item.file, item.column, item.kind, str(item.count), f"{item.share:.2%}", shown)
            table.add_row(*map(Text, cells), Text(item.values[0]))
        console().print(table)
    else:
        say("nothing found")
    files = f"{scanned.files} file{'s' * (scanned.files != 1)}"
    say(f"{files}, {scanned.rows} rows, {scanned.columns} columns; found by shape, check digits"
        " and names of columns: what has neither is not found")  # fmt: skip
