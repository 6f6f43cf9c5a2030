"""`mlctl data profile`: what is known of data without its rows, as a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet

if TYPE_CHECKING:
    from mlctl.data.profiles.profiling import Profiled

app = typer.Typer()


@app.command()
def profile(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATA]...",
            help="Tables and folders; default: all that DVC tracks and that are there.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read the data again, even where nothing changed.")
    ] = False,
    directory: Directory = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Write profiles of data to profiles/: rows, nulls, distinct values, quantiles, digests.

    They are small and made for git: `mlctl data diff` compares them where the data is not there.
    Single values (the most frequent, the least, the largest) are told only of columns that a
    contract lists and does not call personal.

    Examples:

        $ mlctl data profile

        $ mlctl data profile data/raw.csv data/images
    """
    from mlctl.cli._output import print_json
    from mlctl.data.paths import from_root
    from mlctl.data.profiles.profiling import write_profiles
    from mlctl.pipeline.project import Project

    project = Project.open()
    keys = list(dict.fromkeys(from_root(project.root, path) for path in data or []))
    done = write_profiles(project, keys, force=force)
    if json:
        print_json("data.profile", {"profiles": [_facts(item) for item in done]})
    elif not quiet:
        _show(done)
    return 0


def _facts(item: Profiled) -> dict[str, object]:
    return {
        "path": item.data.path,
        "digest": item.data.digest,
        "profile": item.file,
        "change": item.change,
        "rows": item.rows,
        "columns": item.columns,
        "files": item.data.files,
        "bytes": item.size,
    }


def _show(done: list[Profiled]) -> None:
    from mlctl.cli._output import say
    from mlctl.cli._text import count
    from mlctl.reports.scales import size_text

    if not done:
        say("no tracked table or folder is there; `mlctl data add` tracks one")
        return
    width = max(len(item.file) for item in done)
    for item in done:
        parts = [count(item.data.files, "file")] if item.data.digest.endswith(".dir") else []
        if item.rows is not None:
            parts += [f"{item.rows:,} {'row' if item.rows == 1 else 'rows'}"]
            parts += [count(item.columns, "column")]
        parts.append(size_text(item.size))
        say(f"{item.change:<9}  {item.file:<{width}}  {', '.join(parts)}")
