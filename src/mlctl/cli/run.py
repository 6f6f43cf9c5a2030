"""`mlctl run`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import (
    AllPipelines,
    Directory,
    Downstream,
    Jobs,
    Json,
    KeepGoing,
    Quiet,
    RecordCommit,
    Recursive,
    RunTargets,
    Verbose,
)
from mlctl.errors import Busy, InvalidInput

if TYPE_CHECKING:
    from mlctl.cli._view import View
    from mlctl.pipeline.project import Project
    from mlctl.pipeline.request import Options, Where
    from mlctl.projects.settings import ProjectSettings

app = typer.Typer()


@app.command()
def run(
    targets: RunTargets = None,
    jobs: Jobs = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Run even what is unchanged.")
    ] = False,
    single_item: Annotated[
        bool, typer.Option("--single-item", "-s", help="Only the targets, not what they need.")
    ] = False,
    downstream: Downstream = False,
    keep_going: KeepGoing = False,
    pull: Annotated[
        bool, typer.Option("--pull", help="Fetch missing data and results from the remote.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing", help="Do not run a stage only because its data is missing."
        ),
    ] = False,
    no_commit: Annotated[
        bool,
        typer.Option("--no-commit", help="Leave outs out of the cache (`mlctl commit` later)."),
    ] = False,
    no_run_cache: Annotated[
        bool, typer.Option("--no-run-cache", help="Run even what the run-cache has.")
    ] = False,
    glob: Annotated[bool, typer.Option("--glob", help="Targets are patterns.")] = False,
    recursive: Recursive = False,
    pipelines: Annotated[
        bool, typer.Option("--pipeline", "-p", help="The whole pipelines of the targets.")
    ] = False,
    all_pipelines: AllPipelines = False,
    set_params: Annotated[
        list[str] | None,
        typer.Option("--set-param", "-S", metavar="KEY=VALUE", help="Write a parameter, then run."),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", "--dry", help="Show what would run, and why.")
    ] = False,
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="HOST", help="Run stages there that name no place themselves."
        ),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 4 where another process is at work.")
    ] = False,
    commit: RecordCommit = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    directory: Directory = None,
) -> int:
    """Bring stages up to date, in parallel.

    Runs what changed and what depends on it, restores what is known from the run-cache, and writes
    `dvc.lock` as DVC does. Ends with 1 if a stage failed.

    Examples:

        $ mlctl run                   all of ./dvc.yaml and what it needs

        $ mlctl run -j4 train@a       one stage of a group, four at a time

        $ mlctl run -S train.lr=0.1   change a parameter, then run

        $ mlctl run --on gpubox       stages run there, outs come back

        $ mlctl run --dry-run         only say what would run, and why
    """
    from mlctl.cli._steps import show_plan
    from mlctl.cli._view import view
    from mlctl.pipeline.planning import planned
    from mlctl.pipeline.project import Project
    from mlctl.pipeline.request import Options, Where
    from mlctl.projects.settings import load_settings

    if set_params and dry:
        raise InvalidInput(
            "-S writes parameters, and a dry run writes nothing",
            hint="edit the parameters, then ask `mlctl plan`",
        )
    select = partial(
        Project.select,
        names=targets or [],
        everything=all_pipelines,
        pipelines=pipelines,
        single=single_item,
        downstream=downstream,
        glob=glob,
        recursive=recursive,
    )
    project = Project.open()
    indices = select(project)
    if set_params:  # written only once the rest of the command is known to make sense
        from mlctl.pipeline.override import set_parameters

        set_parameters(project, set_params)
        project = Project.open()
        indices = select(project)
    settings = load_settings(project.root)
    jobs = settings.default_jobs(jobs)
    if dry:
        steps = planned(project, indices, force=force, allow_missing=allow_missing)
        project.save_state()
        return show_plan(steps, project.merges, jobs=jobs, json=json)
    options = Options(
        force=force,
        keep_going=keep_going,
        pull=pull,
        allow_missing=allow_missing,
        commit=not no_commit,
        run_cache=not no_run_cache,
        wait=not no_wait,
    )
    commit = settings.records_commit if commit is None else commit
    where = Where(on, settings.hosts)
    shown = view(json, quiet, verbose)
    return _run(project, indices, options, jobs, commit, where, settings, shown)


def _run(
    project: Project,
    indices: Sequence[int],
    options: Options,
    jobs: int,
    commit: bool,
    where: Where,
    settings: ProjectSettings,
    shown: View,
) -> int:
    from mlctl.experiments.recorded import run_and_record

    try:
        result = run_and_record(
            project,
            indices,
            argv=["mlctl", *sys.argv[1:]],
            jobs=jobs,
            options=options,
            emit=shown,
            commit=commit,
            where=where,
            logs=settings.records_logs,
            branch=settings.records_branch,
        ).result
    finally:
        shown.close()
        project.save_state()
    if result.signal is not None:
        return 128 + result.signal
    if result.refused:
        return Busy.exit_code
    return 0 if result.status == "finished" else 1
