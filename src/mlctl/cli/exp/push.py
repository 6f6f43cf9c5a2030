"""`mlctl exp push`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import RemoteName, TransferJobs
from mlctl.cli.exp._moved import GitRemote, Runs

app = typer.Typer()


@app.command()
def push(
    runs: Runs = None,
    remote: RemoteName = None,
    git_remote: GitRemote = None,
    jobs: TransferJobs = None,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Send runs, with their code and their data, to where other clones find them.

    The snapshots of dirty trees, the pins of kept runs and the branch `mlctl/runs`, where records
    have that, go to the remote of git; outs, logged files and the data that was read go to DVC's
    remote. Records on your own branch go with `git push`. Ends with 1, naming it, where something
    of a run is neither here nor there.

    Examples:

        $ mlctl exp push

        $ mlctl exp push last --remote backup
    """
    from mlctl.cli.data._progress import watching
    from mlctl.cli.exp._moved import answer
    from mlctl.cli.exp._saying import runs_root
    from mlctl.experiments.transfer import push_runs

    with watching(hidden=quiet or json) as emit:
        moved = push_runs(
            runs_root(),
            runs or [],
            git_name=git_remote,
            remote=remote,
            jobs=jobs,
            emit=emit,
        )
    return answer("push", moved, json=json, quiet=quiet)
