"""`mlctl data gc`: free what nothing refers to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data._options import RemoteName, TransferJobs

if TYPE_CHECKING:
    from mlctl.data.versions.garbage import Garbage

app = typer.Typer()


@app.command()
def gc(
    workspace: Annotated[
        bool, typer.Option("-w", "--workspace", help="Keep what the workspace uses; always on.")
    ] = False,
    all_branches: Annotated[
        bool, typer.Option("-a", "--all-branches", help="Keep what the branches use.")
    ] = False,
    all_tags: Annotated[
        bool, typer.Option("-T", "--all-tags", help="Keep what the tags use.")
    ] = False,
    all_commits: Annotated[
        bool, typer.Option("-A", "--all-commits", help="Keep what any commit uses.")
    ] = False,
    rev: Annotated[
        list[str] | None, typer.Option("--rev", metavar="REV", help="Keep what REV uses.")
    ] = None,
    projects: Annotated[
        list[str] | None,
        typer.Option("-p", "--project", metavar="DIR", help="Another user of a shared cache."),
    ] = None,
    no_runs: Annotated[
        bool, typer.Option("--no-runs", help="Free what only runs and the registry refer to.")
    ] = False,
    cloud: Annotated[
        bool, typer.Option("-c", "--cloud", help="The remote too, not only the cache.")
    ] = False,
    remote: RemoteName = None,
    jobs: TransferJobs = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Delete; without it nothing is touched.")
    ] = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Show what nothing refers to in the cache, and with `--force` delete it.

    Kept is what the workspace, the commits asked for, recorded runs (their data as their outs) and
    the registry refer to. One of `-w`, `-a`, `-T`, `-A` and `--rev` must be given, as in `dvc gc`.
    With `--cloud` the remote is searched too: others may use what your branches do not.

    Examples:

        $ mlctl data gc --workspace

        $ mlctl data gc --all-branches --all-tags --force

        $ mlctl data gc -A --cloud --remote backup
    """
    from mlctl.cli._output import print_json
    from mlctl.data.versions.garbage import Scope, collect
    from mlctl.errors import InvalidInput

    if not (workspace or all_branches or all_tags or all_commits or rev):
        raise InvalidInput(
            "say what is to be kept",
            hint="-w (the workspace alone), -a (branches), -T (tags), -A (all commits), --rev REV",
        )
    scope = Scope(
        branches=all_branches,
        tags=all_tags,
        commits=all_commits,
        revisions=tuple(rev or ()),
        runs=not no_runs,
        projects=tuple(projects or ()),
    )
    found = collect(
        ".", scope, cloud=cloud or remote is not None, remote=remote, jobs=jobs, remove=force
    )
    if json:
        print_json("data.gc", {"places": [asdict(place) for place in found]})
    else:
        _show(found, force=force)
    return 0


def _show(found: list[Garbage], *, force: bool) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count
    from mlctl.reports.scales import size_text

    for place in found:
        where = "cache" if place.remote is None else f"remote {place.remote}"
        word = "freed" if place.removed else "would free"
        free = f"{word} {count(place.objects, 'object')}, {size_text(place.size)}"
        say(f"{where}: {free}; {count(place.kept, 'object')}, {size_text(place.kept_size)} kept")
        if place.unread:
            one = "the listing of one kept folder is"
            many = f"the listings of {place.unread} kept folders are"
            say(styled(f"  {one if place.unread == 1 else many} not there", "2"))
    if not force and any(place.objects for place in found):
        say(styled("--force deletes.", "2"))
