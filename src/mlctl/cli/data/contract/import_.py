"""`mlctl data contract import`: a contract from pandera's YAML."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A schema as pandera writes it in YAML.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="The dataset's name; default: the file's.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="The data, where the schema says none."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing contract.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Write a contract from a schema of pandera: the form of 0.35 and the older one.

    What a contract has no word for is told, and left out.

    Examples:

        $ mlctl data contract import schema.yaml --name orders --data data/orders.parquet
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.exchange import import_contract
    from mlctl.data.paths import from_root
    from mlctl.store.config import find_root

    root = find_root(".")
    path = None if data is None else from_root(root, data)
    found = import_contract(root, file, name=name, data=path, force=force)
    contract = found.contract
    if json:
        facts = {"dataset": contract.name, "contract": contract.file, "data": contract.data}
        print_json("data.contract.import", {**facts, "left": list(found.left)})
        return 0
    for said in found.left:
        say(f"left out: {said}")
    say(f"wrote {contract.file}: {len(contract.columns)} columns")
    return 0
