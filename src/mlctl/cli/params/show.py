"""`mlctl params show`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import Branches, Commits, Deps, Files, Markdown, Rev, Tags

app = typer.Typer()


@app.command()
def show(
    paths: Files = None,
    rev: Rev = None,
    deps: Deps = False,
    all_branches: Branches = False,
    all_tags: Tags = False,
    all_commits: Commits = False,
    md: Markdown = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Print the parameters, of the workspace or of git revisions.

    These are the `params` of stages, the files of the top-level `params` list, and `params.yaml`.

    Examples:

        $ mlctl params show

        $ mlctl params show --all-branches --md
    """
    from functools import partial

    from mlctl.cli._values import Asked, Look, show_values
    from mlctl.outputs import collect

    asked = Asked(rev, all_branches, all_tags, all_commits)
    return show_values(
        "params", partial(collect.params, deps_only=deps), paths, asked, Look(json, md)
    )
