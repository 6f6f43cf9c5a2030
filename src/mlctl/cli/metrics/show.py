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
    from contextlib import ExitStack

    from mlctl.cli import _values
    from mlctl.cli._output import print_json
    from mlctl.outputs import collect
    from mlctl.pipeline.project import Project

    project = Project.open()
    names = _values.asked_revisions(
        project, rev, branches=all_branches, tags=all_tags, commits=all_commits
    )
    targets = collect.keys(project, paths or [])
    with ExitStack() as stack:
        trees = _values.open_trees(stack, project, names)
        shown = {tree.name: collect.metrics(tree, targets) for tree in trees}
    if json:
        print_json("metrics.show", _values.show_json(shown))
    else:
        _values.print_shown(shown, title="Metric", precision=precision, markdown=md)
    return 0
