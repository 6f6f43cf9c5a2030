"""`mlctl data checkout`: make the workspace what its pointers say."""

from __future__ import annotations

from dataclasses import asdict

import typer

from mlctl.cli._options import Directory, Json, Quiet
from mlctl.cli.data._options import DataTargets, Force

app = typer.Typer()


@app.command()
def checkout(
    targets: DataTargets = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Link data and outs from the cache as the pointers and locks say, as `dvc checkout` does.

    Only files that differ are touched. A changed file whose content is not in the cache is left as
    it is, unless `--force`. Ends with 1 where something is not as recorded after it.

    Examples:

        $ git switch main && mlctl data checkout

        $ mlctl data checkout data/raw.csv --force
    """
    from mlctl.cli._output import print_json
    from mlctl.data.versions.checkout import checkout as link
    from mlctl.pipeline.project import Project

    outs = link(Project.open(), targets or [], force=force)
    if json:
        print_json("data.checkout", {"outs": [asdict(out) for out in outs]})
    else:
        from mlctl.cli.data._show import say_checked_out

        say_checked_out(outs, quiet=quiet)
    return 1 if any(out.outcome in {"missing", "refused"} for out in outs) else 0
