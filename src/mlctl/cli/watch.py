"""`mlctl watch`"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

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
    RunTargets,
    Verbose,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlctl.errors import MlctlError
    from mlctl.pipeline.watching import Look

app = typer.Typer()


@app.command()
def watch(
    targets: RunTargets = None,
    jobs: Jobs = None,
    keep_going: KeepGoing = False,
    downstream: Downstream = False,
    all_pipelines: AllPipelines = False,
    commit: RecordCommit = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    directory: Directory = None,
) -> int:
    """Bring stages up to date, and again whenever a file that they read changes.

    Sees what `mlctl status` sees: deps, parameters, `dvc.yaml` and `.dvc` files, and outs that
    somebody else changed. What is wrong in them is told, and watching goes on. A stage that failed
    is tried again when something before it is different.

    Ctrl-C ends it: with 0 while it waits, with 130 while stages run.

    Examples:

        $ mlctl watch

        $ mlctl watch -j4 train       one stage and what it needs, four at a time
    """
    from mlctl.pipeline.project import Project
    from mlctl.pipeline.watching import look
    from mlctl.pipeline.watching import watch as run_and_look

    select = partial(
        Project.select, names=targets or [], everything=all_pipelines, downstream=downstream
    )
    run = partial(
        _run, jobs=jobs, keep_going=keep_going, commit=commit, json=json, quiet=quiet,
        verbose=verbose,
    )  # fmt: skip
    ended = run_and_look(partial(look, select), run, _teller(json=json, quiet=quiet))
    return 0 if ended is None else 128 + ended


def _run(
    seen: Look,
    *,
    jobs: int | None,
    keep_going: bool,
    commit: bool | None,
    json: bool,
    quiet: bool,
    verbose: bool,
) -> int | None:
    from mlctl.cli._view import view
    from mlctl.experiments.recorded import run_and_record
    from mlctl.pipeline.request import Options, Where
    from mlctl.projects.settings import load_settings

    settings = load_settings(seen.project.root)
    shown = view(json, quiet, verbose)
    try:
        done = run_and_record(
            seen.project,
            seen.indices,
            argv=["mlctl", *sys.argv[1:]],
            jobs=settings.default_jobs(jobs),
            options=Options(keep_going=keep_going),
            emit=shown,
            commit=settings.records_commit if commit is None else commit,
            where=Where(hosts=settings.hosts),
            logs=settings.records_logs,
            branch=settings.records_branch,
        )
    finally:
        shown.close()
        seen.project.save_state()
    return done.result.signal


def _teller(*, json: bool, quiet: bool) -> Callable[[MlctlError | None], None]:
    """Shows the errors that a watch outlives, and that it waits."""
    from mlctl.cli._json import JsonLines
    from mlctl.cli._output import error_text, say, styled
    from mlctl.pipeline.events import Notice

    def tell(error: MlctlError | None) -> None:
        if json:
            waiting = Notice("watching for changes", "info")
            JsonLines()(waiting if error is None else Notice(_one_text(error)))
        elif error is not None:
            sys.stderr.write(error_text(str(error), error.hint))
        elif not quiet:
            say(styled("watching for changes; Ctrl-C ends", "2"))
            sys.stdout.flush()

    return tell


def _one_text(error: MlctlError) -> str:
    return f"{error}\nhint: {error.hint}" if error.hint else str(error)
