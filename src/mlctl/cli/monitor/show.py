"""`mlctl monitor show`: a committed report."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Verbose

app = typer.Typer()


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The monitor.")],
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", help="A period; default: the latest.")
    ] = None,
    directory: Directory = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show a committed report of a monitor, without looking at any data.

    Examples:

        $ mlctl monitor show adult

        $ mlctl monitor show adult 2026-05-01_2026-05-31
    """
    from mlctl.cli._output import print_json
    from mlctl.cli.monitor._show import show_table, show_verdict
    from mlctl.monitoring.monitor import show_report
    from mlctl.monitoring.record import to_dict
    from mlctl.store.config import find_root

    report = show_report(find_root("."), name, period)
    if json:
        print_json("monitor.show", {"report": to_dict(report)})
        return 0
    show_table(report, everything=verbose)
    show_verdict(report)
    return 0
