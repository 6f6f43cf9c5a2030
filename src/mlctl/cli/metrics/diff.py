"""`mlctl metrics diff`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import All, Check, Markdown, New, Old, Precision, Targets

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
        old, new = collect.metrics(trees[a], targets), collect.metrics(trees[b], targets)
    changes = compare(old, new, unchanged=all_values)
    _values.warn([file.error for file in (*old, *new) if file.error])
    if json:
        print_json("metrics.diff", _values.diff_json(a, b, changes))
    else:
        _values.print_diff(a, b, changes, title="Metric", precision=precision, markdown=md)
    return int(check and any(change.changed for change in changes))
