"""`mlctl monitor diff`: what changed between two reports."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def diff(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The monitor.")],
    a: Annotated[str, typer.Argument(metavar="A", help="A period, or a report's file name.")],
    b: Annotated[
        str | None, typer.Argument(metavar="[B]", help="The same; default: the latest period.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="End with 1 where it got worse.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Show in Markdown what changed between two reports of a monitor, without any data.

    Examples:

        $ mlctl monitor diff requests 2026-05-01

        $ mlctl monitor diff requests 2026-05-01 2026-05-08 --check
    """
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say
    from mlctl.monitoring.report.committed import find
    from mlctl.monitoring.report.diff import compare_reports, to_markdown
    from mlctl.store.config import find_root

    root = find_root(".")
    found = compare_reports(find(root, name, a), find(root, name, b))
    if json:
        print_json(
            "monitor.diff",
            {
                "a": {"period": found.a.period, "verdict": found.a.verdict},
                "b": {"period": found.b.period, "verdict": found.b.verdict},
                "worse": found.worse,
                "columns": [asdict(column) for column in found.columns],
                "scores": [asdict(score) for score in found.scores],
            },
        )
    else:
        say(to_markdown(found).rstrip("\n"))
    return 1 if check and found.worse else 0
