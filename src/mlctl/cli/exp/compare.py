"""`mlctl exp compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import Open, Output

app = typer.Typer()


@app.command()
def compare(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...", help="Short ids, `last`, `last~1`; default: the newest."
        ),
    ] = None,
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", min=1, help="How many of the newest.")
    ] = 20,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", "-w", metavar="EXPR", help="Only runs that fulfil it, as in `exp ls`."
        ),
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="FIELD", help="In this order, as in `exp ls`.")
    ] = None,
    out: Output = None,
    open_page: Open = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Compare runs on one HTML page that needs nothing else: no server, no network.

    A table that sorts, the curves of what was logged, parallel coordinates with brushes and a
    scatter: what is brushed or pointed at in one of them stands out in all.
    The page is one file, to be sent as it is.

    Examples:

        $ mlctl exp compare

        $ mlctl exp compare -n 50 -o compare.html --open

        $ mlctl exp compare --where 'metrics.auc > 0.9' --sort -metrics.auc

        $ mlctl exp compare K3F9QZ last
    """
    import os
    import webbrowser
    from pathlib import Path

    from mlctl.adapters.files import write_text
    from mlctl.cli._output import print_json, say, styled
    from mlctl.cli._text import count
    from mlctl.experiments.compare_page import comparison_page
    from mlctl.experiments.comparing import choose
    from mlctl.experiments.comparing import compare as read
    from mlctl.experiments.live import project_root
    from mlctl.experiments.search import Search
    from mlctl.store.state import make_local_dir

    root = project_root(os.getcwd())
    it = read(root, choose(root, runs or [], Search(where=where, sort=sort, limit=number)))
    path = Path(out) if out else Path(root, ".mlctl", "compare", "index.html")
    if out is None:
        make_local_dir(os.path.join(root, ".mlctl"))
    path = path / "index.html" if path.is_dir() else path
    write_text(path, comparison_page(it, title=f"Runs of {os.path.basename(root)}"))
    if json:
        found = {"runs": [head.id for head in it.heads], "metrics": list(it.metrics)}
        print_json("exp.compare", {"page": str(path), **found, "params": list(it.params)})
    else:
        say(f"{count(len(it.heads), 'run')} on one page:")
        say(styled(path.resolve().as_uri(), "36"))
    if open_page:
        webbrowser.open(path.resolve().as_uri())
    return 0
