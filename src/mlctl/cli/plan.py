"""`mlctl plan`"""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Jobs, Json, Verbose

app = typer.Typer()


@app.command()
def plan(
    targets: Annotated[
        list[str] | None, typer.Argument(help="As of `mlctl run`; default: ./dvc.yaml.")
    ] = None,
    jobs: Jobs = None,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="The targets and all that hangs on them.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all-pipelines", "-P", help="Everything in the project.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="End with 1 if anything would run.")
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    directory: Directory = None,
) -> int:
    """Show what `mlctl run` would do: which stages, in which order, why, how long.

    A stage after a changed one may turn out unchanged when its turn comes; then it is not run.

    Examples:

        $ mlctl plan

        $ mlctl plan train -j4 --json
    """
    from mlctl.cli._steps import show_plan
    from mlctl.pipeline.planning import planned
    from mlctl.pipeline.project import Project
    from mlctl.projects.settings import load_settings

    project = Project.open()
    indices = project.select(targets or [], everything=everything, downstream=downstream)
    steps = planned(project, indices)
    project.save_state()
    settings = load_settings(project.root)
    show_plan(steps, jobs=settings.default_jobs(jobs), json=json, show_all=verbose)
    return 1 if check and any(step.changed for step in steps) else 0
