"""`mlctl data fetch`: bring data into the cache."""

from __future__ import annotations

from dataclasses import asdict

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import DataTargets, RemoteName, TransferJobs

app = typer.Typer()


@app.command()
def fetch(
    targets: DataTargets = None,
    remote: RemoteName = None,
    jobs: TransferJobs = None,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Bring what the cache lacks from a remote, as `dvc fetch` does.

    The workspace stays as it is.

    Each object is hashed before the cache takes it. What is here is not asked for again, so an
    interrupted fetch is taken up by the next one.

    Examples:

        $ mlctl data fetch

        $ mlctl data fetch data/images/cats --remote backup
    """
    from mlctl.cli._output import print_json
    from mlctl.cli.data._progress import watching
    from mlctl.data.versions.fetch import fetch as bring
    from mlctl.pipeline.project import Project

    project = Project.open()
    with watching(hidden=quiet or json) as emit:
        done = bring(project, targets or [], remote=remote, jobs=jobs, emit=emit)
    if json:
        print_json("data.fetch", {"remotes": [asdict(item) for item in done]})
    elif not quiet:
        from mlctl.cli.data._show import say_moved

        say_moved("fetched", "from", done)
    return 0
