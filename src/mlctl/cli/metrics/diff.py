"""`mlctl metrics diff`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Check, Directory, Json
from mlctl.cli._values import All, Markdown, New, Old, Precision, Targets

app = typer.Typer()


@app.command()
def diff(
    a: Old = "HEAD",
    b: New = "workspace",
    target: Targets = None,
    all_values: All = False,
    check: Check = False,
    precision: Precision = 5,
    md: Markdown = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Compare the metrics of two revisions.

    Examples:

        $ mlctl metrics diff

        $ mlctl metrics diff main workspace --md
    """
    from mlctl.cli._values import Look, diff_values
    from mlctl.outputs import collect

    return diff_values(
        "metrics",
        collect.metrics,
        target,
        (a, b),
        Look(json, md, precision),
        unchanged=all_values,
        check=check,
    )
