"""`mlctl plan`"""

from __future__ import annotations

import typer

from mlctl.cli._options import (
    AllPipelines,
    Check,
    Directory,
    Downstream,
    Jobs,
    Json,
    RunTargets,
    Verbose,
)

app = typer.Typer()


@app.command()
def plan(
    targets: RunTargets = None,
    jobs: Jobs = None,
    downstream: Downstream = False,
    all_pipelines: AllPipelines = False,
    check: Check = False,
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
    indices = project.select(targets or [], everything=all_pipelines, downstream=downstream)
    steps = planned(project, indices)
    project.save_state()
    settings = load_settings(project.root)
    show_plan(steps, project.merges, jobs=settings.default_jobs(jobs), json=json, show_all=verbose)
    return 1 if check and any(step.changed for step in steps) else 0
