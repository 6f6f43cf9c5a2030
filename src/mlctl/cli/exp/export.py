"""`mlctl exp export`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def export(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A file, an mlruns folder or a tracking URI.")
    ],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; default: all.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORM",
            help="parquet, csv, json or mlflow; default: as the ending says.",
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="FILTER", help="Only runs that fulfil it.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Write runs in a form that other tools read.

    Parquet and CSV are two files: TARGET has a line for each run, and the one beside it
    (runs.steps.parquet) a line for each logged value. JSON is a line for each run. MLflow is a
    folder of its file store, or where MLflow is installed what a URI names; exporting there again
    adds what is new.

    Examples:

        $ mlctl exp export runs.parquet

        $ mlctl exp export mlruns --to mlflow

        $ mlctl exp export sqlite:///mlflow.db --to mlflow

        $ mlctl exp export best.csv --where "metrics.auc > 0.9"
    """
    import os

    from mlctl.cli._output import print_json, say
    from mlctl.cli._text import count
    from mlctl.experiments.exporting import export_runs
    from mlctl.experiments.live import project_root

    root = project_root(os.getcwd())
    number, paths = export_runs(root, target, form, names=names or (), where=where)
    if json:
        print_json("exp.export", {"runs": number, "paths": paths})
    else:
        say(f"{count(number, 'run')}: {', '.join(paths)}")
    return 0
