"""`mlctl exp run`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    RunTargets,
    Verbose,
)

if TYPE_CHECKING:
    from mlctl.experiments.sweep import Combination
    from mlctl.pipeline.events import Emit

app = typer.Typer()


@app.command()
def run(
    targets: RunTargets = None,
    set_params: Annotated[
        list[str] | None,
        typer.Option(
            "--set-param",
            "-S",
            metavar="KEY=VALUE,...",
            help="A parameter and the values to try (repeatable: every combination runs).",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Begins the name of every run.")
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(
            "--at-once",
            metavar="N",
            min=1,
            help="N combinations at one time, each in a work tree of its own.",
        ),
    ] = None,
    jobs: Jobs = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Run even what is unchanged or known.")
    ] = False,
    keep_going: KeepGoing = False,
    downstream: Downstream = False,
    all_pipelines: AllPipelines = False,
    commit: RecordCommit = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Run every combination of some parameters' values, each as a run with its own record.

    They run one after another, in the workspace. Each is named for its values, and a table at the
    end compares them. The parameter files are put back then, also after Ctrl-C; where a sweep was
    killed, the next one puts them back. The outs are those of the last combination: `mlctl run`
    brings those of your parameters back.

    With --at-once they run side by side, each in a scratch work tree with the code as it lies here,
    and the workspace stays as it is. What neither git nor DVC knows (ignored files) is not there.

    Ends with 1 if a combination failed; the others run all the same.

    Examples:

        $ mlctl exp run -S train.lr=0.1,0.01,0.001

        $ mlctl exp run -S train.lr=0.1,0.01 -S model.kind=tree,linear train

        $ mlctl exp run -S 'layers=[8],[8,8]' -S seed=1,2,3 --name layers

        $ mlctl exp run -S seed=1,2,3,4,5,6,7,8 --at-once 4

        $ mlctl exp run --name baseline     one run, with a name
    """
    import sys
    from functools import partial

    from mlctl.cli.exp import _sweeping
    from mlctl.experiments.sweep import combinations
    from mlctl.experiments.sweep_apart import Apart, sweep_apart
    from mlctl.experiments.sweep_run import Settings, commit_sweep, sweep
    from mlctl.pipeline.project import Project
    from mlctl.pipeline.request import Options, Where
    from mlctl.projects.settings import load_settings

    found = combinations(set_params or [], name=name)
    project = Project.open()
    settings = load_settings(project.root)
    select = partial(
        Project.select, names=targets or [], everything=all_pipelines, downstream=downstream
    )
    how = Settings(
        argv=["mlctl", *sys.argv[1:]],
        jobs=settings.default_jobs(jobs),
        options=Options(force=force, keep_going=keep_going, run_cache=not force),
        where=Where(hosts=settings.hosts),
        logs=settings.records_logs,
    )
    if at_once is None:
        show = partial(_show, json=json, quiet=quiet, verbose=verbose)
        done = sweep(project, found, select, how, show)
    else:
        select(project)  # refuses targets that are none
        flags = {"--force": force, "--keep-going": keep_going, "--downstream": downstream}
        flags |= {"--all-pipelines": all_pipelines, f"-j{how.jobs}": True}
        arguments = [*(flag for flag, given in flags.items() if given), *(targets or [])]
        silent = json or quiet
        _sweeping.begin(len(found), at_once, silent=silent)
        told = partial(_sweeping.one, total=len(found), silent=silent)
        done = sweep_apart(project, found, Apart(at_once, arguments), told)
    wanted = settings.records_commit if commit is None else commit
    made = commit_sweep(project.root, done, branch=settings.records_branch) if wanted else None
    _sweeping.tell(project.root, done, made, json=json, quiet=quiet)
    if done.signal is not None:
        return 128 + done.signal
    return 0 if all(tried.status == "finished" for tried in done.tried) else 1


@contextmanager
def _show(
    number: int, total: int, combination: Combination, *, json: bool, quiet: bool, verbose: bool
) -> Iterator[Emit]:
    import sys

    from mlctl.cli._output import say, styled
    from mlctl.cli._plain import Plain
    from mlctl.cli._view import view

    shown = Plain(sys.stderr, quiet=True) if json else view(False, quiet, verbose)
    if total > 1 and not (json or quiet):
        say(f"{styled(f'[{number + 1} of {total}]', '2')} {styled(combination.name, '1')}")
        sys.stdout.flush()
    try:
        yield shown
    finally:
        shown.close()
