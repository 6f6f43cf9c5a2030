"""`mlctl data infer`: write a first contract from data."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Table

app = typer.Typer()


@app.command()
def infer(
    data: Table,
    name: Annotated[
        str | None, typer.Option("--name", help="The dataset's name; default: the file's.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing contract.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Write a first contract from data: types, ids, categories and ranges with room to spare.

    Examples:

        $ mlctl data infer data/raw.csv

        $ mlctl data infer data/raw.csv --name customers
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.inferring import infer_contract
    from mlctl.data.paths import from_root
    from mlctl.store.config import find_root

    root = find_root(".")
    written = infer_contract(root, from_root(root, data), name=name, force=force)
    contract = written.contract
    if json:
        facts = {"dataset": contract.name, "contract": contract.file, "data": contract.data}
        counts = {"rows": written.rows, "columns": len(contract.columns)}
        print_json("data.infer", {**facts, **counts, "key": list(contract.key)})
    else:
        counts_text = f"{len(contract.columns)} columns from {written.rows} rows"
        say(f"wrote {contract.file}: {counts_text}; read it and correct it")
    return 0
