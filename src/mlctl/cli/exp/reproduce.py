"""`mlctl exp reproduce`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Jobs, Json, Quiet, RunName, Verbose
from mlctl.errors import InvalidInput

app = typer.Typer()


@app.command()
def reproduce(
    run: RunName = "last",
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare what comes out with the record; 1 for no.")
    ] = False,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(
            "--tolerance",
            metavar="METRIC=NUMBER",
            help="How far a metric may be off (absolute; repeatable).",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="STAGE", help="Only this stage (repeatable)."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the stages that were up to date in that run.")
    ] = False,
    with_code: Annotated[
        str | None, typer.Option("--with-code", metavar="REV", help="With the code of this commit.")
    ] = None,
    set_params: Annotated[
        list[str] | None,
        typer.Option("--set-param", "-S", metavar="KEY=VALUE", help="With another parameter."),
    ] = None,
    env: Annotated[
        bool, typer.Option("--env", help="Install the packages of that run (venv, pip), use them.")
    ] = False,
    pull: Annotated[
        bool, typer.Option("--pull", help="Fetch missing data from the remote.")
    ] = False,
    on: Annotated[
        str | None, typer.Option("--on", metavar="HOST", help="Run stages there.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the scratch work tree, and say where it is.")
    ] = False,
    jobs: Jobs = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Run a recorded run again: its code, data and parameters, in a scratch work tree.

    Your files, lock and cache stay as they are. The stages that ran then run again, without the
    run-cache. With --verify, each stage is identical to the record, within the tolerances, or
    different, and what differs is given its cause: seed, parameter, package, data, code or machine.
    --with-code and -S change one thing on purpose.

    Examples:

        $ mlctl exp reproduce last --verify

        $ mlctl exp reproduce K3F9QZ --verify --tolerance auc=0.001

        $ mlctl exp reproduce K3F9QZ -S train.seed=2 --verify
    """
    import os

    from mlctl.cli.exp._again import print_rerun, running, say_before
    from mlctl.experiments.again.building import programs_of
    from mlctl.experiments.again.reproducing import How, Recipe
    from mlctl.experiments.again.reproducing import reproduce as run_again
    from mlctl.experiments.again.side import load_side
    from mlctl.experiments.again.verifying import parse_tolerances
    from mlctl.experiments.again.verifying import verify as judge
    from mlctl.pipeline.request import Where
    from mlctl.projects.settings import load_settings
    from mlctl.store.config import find_root

    if (tolerance or ()) and not verify:
        raise InvalidInput("--tolerance says how to compare", hint="add --verify")
    root = find_root(os.getcwd())
    settings = load_settings(root)
    side = load_side(root, run)
    asked = parse_tolerances(tolerance or (), side.metrics)
    limits = {**asked, **settings.tolerances, **asked}  # the first name that fits counts
    recipe = Recipe.of(
        side,
        revision=with_code,
        overrides=tuple(set_params or ()),
        targets=tuple(target or ()),
        everything=everything,
    )
    programs = programs_of(root, side.head) if env else None
    how = How(
        jobs=settings.default_jobs(jobs),
        keep=keep,
        pull=pull,
        strict=verify,
        where=Where(on, settings.hosts),
        programs=programs,
    )
    if not (json or quiet or env):
        say_before(side)
    with running(json, quiet, verbose) as emit:
        rerun = run_again(root, recipe, how, emit)
    verification = judge(root, side, rerun, limits) if verify and rerun.signal is None else None
    print_rerun(side, rerun, verification, json=json)
    if rerun.signal is not None:
        return 128 + rerun.signal
    if verification is not None:
        return 0 if verification.holds else 1
    return 0 if rerun.status == "finished" else 1
