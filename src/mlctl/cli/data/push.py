"""`mlctl data push`: send data to a remote."""

from __future__ import annotations

from dataclasses import asdict

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import DataTargets, RemoteName, TransferJobs

app = typer.Typer()


@app.command()
def push(
    targets: DataTargets = None,
    remote: RemoteName = None,
    jobs: TransferJobs = None,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Send what the cache has and a remote lacks, as `dvc push` does.

    Each object is hashed on its way, and a folder's listing goes after its files. What is there is
    not sent again, so an interrupted push is taken up by the next one.

    Examples:

        $ mlctl data push

        $ mlctl data push data/images --remote backup -j 16
    """
    from mlctl.cli._output import print_json
    from mlctl.cli.data._progress import watching
    from mlctl.data.versions.push import push as send
    from mlctl.pipeline.project import Project

    project = Project.open()
    with watching(hidden=quiet or json) as emit:
        done = send(project, targets or [], remote=remote, jobs=jobs, emit=emit)
    if json:
        print_json("data.push", {"remotes": [asdict(item) for item in done]})
    elif not quiet:
        from mlctl.cli.data._show import say_moved

        say_moved("sent", "to", done)
    return 0
