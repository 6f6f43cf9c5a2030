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
    from mlctl.cli._output import print_json, say
    from mlctl.cli.monitor._show import show_report, show_verdict
    from mlctl.monitoring.report.committed import find
    from mlctl.monitoring.report.record import to_dict
    from mlctl.store.config import find_root

    report = find(find_root("."), name, period)
    if json:
        print_json("monitor.show", {"report": to_dict(report)}, version=2)
        return 0
    show_verdict(report)
    say()
    show_report(report, everything=verbose)
    return 0
