"""`mlctl exp pull`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import RemoteName, TransferJobs
from mlctl.cli.exp._moved import GitRemote, Runs

app = typer.Typer()


@app.command()
def pull(
    runs: Runs = None,
    outs: Annotated[
        bool | None,
        typer.Option("--outs/--no-outs", help="Their data too; default: if runs are named."),
    ] = None,
    remote: RemoteName = None,
    git_remote: GitRemote = None,
    jobs: TransferJobs = None,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Bring runs that other clones have pushed, with their code and their data.

    Records on the branch `mlctl/runs`, snapshots and pins come from the remote of git; those on
    your own branch come with `git pull`. Outs, logged files and the data that was read come from
    DVC's remote into the cache, and not into the workspace. Ends with 1, naming it, where something
    of a run is neither here nor there.

    Examples:

        $ mlctl exp pull

        $ mlctl exp pull last

        $ mlctl exp pull --outs        the data of all runs
    """
    from mlctl.cli.data._progress import watching
    from mlctl.cli.exp._moved import answer
    from mlctl.cli.exp._saying import runs_root
    from mlctl.experiments.transfer import pull_runs

    with watching(hidden=quiet or json) as emit:
        moved = pull_runs(
            runs_root(),
            runs or [],
            outs=bool(runs) if outs is None else outs,
            git_name=git_remote,
            remote=remote,
            jobs=jobs,
            emit=emit,
        )
    return answer("pull", moved, json=json, quiet=quiet)
