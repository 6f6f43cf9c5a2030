"""`mlctl metrics show`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import Branches, Commits, Files, Markdown, Precision, Rev, Tags

app = typer.Typer()


@app.command()
def show(
    paths: Files = None,
    rev: Rev = None,
    all_branches: Branches = False,
    all_tags: Tags = False,
    all_commits: Commits = False,
    precision: Precision = 5,
    md: Markdown = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Print the metrics, of the workspace or of git revisions.

    Metrics files are the `metrics` of stages and those of the top-level `metrics` list.

    Examples:

        $ mlctl metrics show

        $ mlctl metrics show --all-branches --md
    """
    from mlctl.cli._values import Asked, Look, show_values
    from mlctl.outputs import collect

    asked = Asked(rev, all_branches, all_tags, all_commits)
    return show_values("metrics", collect.metrics, paths, asked, Look(json, md, precision))
