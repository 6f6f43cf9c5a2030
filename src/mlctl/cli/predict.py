"""`mlctl predict`: predict a table with a model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet, Table

app = typer.Typer()


@app.command()
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A folder with a model.yaml.")],
    data: Table,
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT", help="The table to write.")],
    keep: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Columns to keep; default: all but the features."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load a model that can run code and is not tracked.")
    ] = False,
    directory: Directory = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Predict a table with a model, in batches, so that it may be larger than memory.

    Ends with 1 where the data does not fit the model, with 2 where the model folder is wrong.

    Examples:

        $ mlctl predict models data/new.csv -o predictions.csv

        $ mlctl predict models data/new.parquet -o out.parquet --keep id
    """
    from mlctl.cli._output import print_json, say
    from mlctl.inference import batch
    from mlctl.models.model import load

    wanted = None if keep is None else [name for name in keep.split(",") if name]
    loaded = load(model, trust=trust)
    done = batch.predict(loaded, data, out, keep=wanted)
    if json:
        print_json("predict", asdict(done))
    elif not quiet:
        say(f"{done.rows} rows in {done.seconds:.1f} s  ->  {done.out}")
        if done.ignored:
            say(f"not read and not kept: {', '.join(done.ignored)}")
    return 0
