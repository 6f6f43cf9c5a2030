"""`mlctl report run`: one run as a page."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json, Quiet, RunName

app = typer.Typer()


@app.command()
def run(
    name: RunName = "last",
    directory: Directory = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Write the page of a run: what it did, its metrics, its plots, when which stage ran.

    The page is reports/run/ID.html, one file that needs nothing else. Plots show what that run
    wrote, from DVC's cache where the files have changed since.

    Examples:

        $ mlctl report run

        $ mlctl report run last~1
    """
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say, styled
    from mlctl.cli._text import count
    from mlctl.experiments.page import write_run_page
    from mlctl.store.config import find_root

    page = write_run_page(find_root("."), name)
    if json:
        print_json("report.run", asdict(page))
    elif not quiet:
        say(f"{page.path}  {styled(count(page.plots, 'plot'), '2')}")
        for note in page.left_out:
            say(styled(f"  left out: {note}", "33"))
    return 0
