"""`mlctl data pull`: bring data from a remote into the workspace."""

from __future__ import annotations

from dataclasses import asdict

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import DataTargets, Force, RemoteName, TransferJobs

app = typer.Typer()


@app.command()
def pull(
    targets: DataTargets = None,
    remote: RemoteName = None,
    jobs: TransferJobs = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Bring data from a remote into the cache and the workspace, as `dvc pull` does.

    `mlctl data fetch` and `mlctl data checkout` in one. Where the remote lacks a part, the rest is
    checked out all the same.

    Examples:

        $ mlctl data pull

        $ mlctl data pull data/raw.csv train
    """
    from mlctl.cli._output import print_json
    from mlctl.cli.data._progress import watching
    from mlctl.data.versions.checkout import checkout
    from mlctl.data.versions.fetch import fetch
    from mlctl.errors import NotAble
    from mlctl.pipeline.project import Project

    project = Project.open()
    refused = None
    done = []
    with watching(hidden=quiet or json) as emit:
        try:
            done = fetch(project, targets or [], remote=remote, jobs=jobs, emit=emit)
        except NotAble as error:
            refused = error
    outs = checkout(project, targets or [], force=force)
    if refused is not None:
        raise refused
    if json:
        found = {"remotes": [asdict(i) for i in done], "outs": [asdict(out) for out in outs]}
        print_json("data.pull", found)
    else:
        from mlctl.cli.data._show import say_checked_out, say_moved

        if not quiet:
            say_moved("fetched", "from", done)
        say_checked_out(outs, quiet=quiet)
    return 1 if any(out.outcome in {"missing", "refused"} for out in outs) else 0
