"""`mlctl params diff`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import All, Check, Deps, Markdown, New, Old, Targets

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
    from contextlib import ExitStack

    from mlctl.cli import _values
    from mlctl.cli._output import print_json
    from mlctl.outputs import collect
    from mlctl.outputs.values import compare
    from mlctl.pipeline.project import Project

    project = Project.open()
    targets = collect.keys(project, target or [])
    with ExitStack() as stack:
        trees = {tree.name: tree for tree in _values.open_trees(stack, project, [a, b])}
        old = collect.params(trees[a], targets, deps_only=deps)
        new = collect.params(trees[b], targets, deps_only=deps)
    changes = compare(old, new, unchanged=all_values)
    _values.warn([file.error for file in (*old, *new) if file.error])
    if json:
        print_json("params.diff", _values.diff_json(a, b, changes))
    else:
        _values.print_diff(a, b, changes, title="Param", precision=None, markdown=md)
    return int(check and any(change.changed for change in changes))
