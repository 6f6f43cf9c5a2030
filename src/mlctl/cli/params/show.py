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
        shown = {tree.name: collect.params(tree, targets, deps_only=deps) for tree in trees}
    if json:
        print_json("params.show", _values.show_json(shown))
    else:
        _values.print_shown(shown, title="Param", precision=None, markdown=md)
    return 0
