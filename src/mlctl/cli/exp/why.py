"""`mlctl exp why`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Jobs, Json, Quiet, Verbose

app = typer.Typer()


@app.command()
def why(
    a: Annotated[str, typer.Argument(metavar="A", help="The old run.")],
    b: Annotated[str, typer.Argument(metavar="[B]", help="The new run.")] = "last",
    metric: Annotated[
        str | None,
        typer.Option("--metric", "-m", metavar="NAME", help="Default: the most telling one."),
    ] = None,
    env: Annotated[
        bool,
        typer.Option("--env", help="Packages are a factor, too: install those of both runs."),
    ] = False,
    pull: Annotated[
        bool, typer.Option("--pull", help="Fetch missing data from the remote.")
    ] = False,
    dry: Annotated[
        bool, typer.Option("--dry-run", "--dry", help="Only say which runs it takes.")
    ] = False,
    jobs: Jobs = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Say how much of a metric's change came from code, data and parameters.

    Makes runs that never were: A with only the code of B, with only its data, and so on, each in a
    scratch work tree. A factor's part of the change is the mean of what it makes in all orders (its
    Shapley value). What the factors leave is that of packages, unless --env exchanges them, of the
    machine, and of chance. Runs are remembered, so asking again is instant.

    Examples:

        $ mlctl exp why K3F9QZ

        $ mlctl exp why last~1 last --metric test.auc

        $ mlctl exp why last~1 last --dry-run
    """
    import os

    from mlctl.cli.exp._again import running
    from mlctl.cli.exp._why import print_why
    from mlctl.experiments.again.counterfactual import Interrupted, choose_metric, explain
    from mlctl.experiments.again.reproducing import How
    from mlctl.experiments.again.side import load_side
    from mlctl.pipeline.request import Where
    from mlctl.projects.settings import load_settings
    from mlctl.store.config import find_root

    root = find_root(os.getcwd())
    settings = load_settings(root)
    old, new = load_side(root, a), load_side(root, b)
    name = choose_metric(old, new, metric)
    how = How(jobs=settings.default_jobs(jobs), pull=pull, where=Where(None, settings.hosts))
    try:
        with running(json or dry, quiet, verbose) as emit:
            answer = explain(root, old, new, name, how, emit, packages=env, dry=dry)
    except Interrupted as interrupted:
        return 128 + interrupted.signal
    print_why(old, new, answer, json=json, dry=dry)
    return 0
