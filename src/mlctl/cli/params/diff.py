"""`mlctl params diff`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Check, Directory, Json
from mlctl.cli._values import All, Deps, Markdown, New, Old, Targets

app = typer.Typer()


@app.command()
def diff(
    a: Old = "HEAD",
    b: New = "workspace",
    target: Targets = None,
    deps: Deps = False,
    all_values: All = False,
    check: Check = False,
    md: Markdown = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Compare the parameters of two revisions.

    Examples:

        $ mlctl params diff

        $ mlctl params diff main workspace --md
    """
    from functools import partial

    from mlctl.cli._values import Look, diff_values
    from mlctl.outputs import collect

    return diff_values(
        "params",
        partial(collect.params, deps_only=deps),
        target,
        (a, b),
        Look(json, md),
        unchanged=all_values,
        check=check,
    )
