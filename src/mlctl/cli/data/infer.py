"""`mlctl data infer`: write a first contract from data, or widen one for new data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json, Table

if TYPE_CHECKING:
    from mlctl.data.inferring import Updated, Written

app = typer.Typer()


@app.command()
def infer(
    data: Table,
    name: Annotated[
        str | None, typer.Option("--name", help="The dataset's name; default: the file's.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing contract.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Show how the contract must widen for this data.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="With --update: change the file.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Write a first contract from data: types, ids, categories and ranges with room to spare.

    With --update, show as a diff what must change in the contract that there is: only what this
    data breaks, and new columns. Your edits, their order and comments stay.

    Examples:

        $ mlctl data infer data/raw.csv

        $ mlctl data infer data/raw.csv --name customers

        $ mlctl data infer data/new.csv --name customers --update
    """
    from mlctl.data.inferring import infer_contract, update_contract
    from mlctl.data.paths import from_root
    from mlctl.errors import InvalidInput
    from mlctl.store.config import find_root

    if write and not update:
        raise InvalidInput("--write goes with --update")
    if update and force:
        raise InvalidInput("--force replaces a contract, --update edits it: take one of the two")
    root = find_root(".")
    path = from_root(root, data)
    if update:
        _show_update(update_contract(root, path, name=name, write=write), json=json)
    else:
        _show_written(infer_contract(root, path, name=name, force=force), json=json)
    return 0


def _show_written(written: Written, *, json: bool) -> None:
    from mlctl.cli._output import print_json, say

    contract = written.contract
    if json:
        facts = {"dataset": contract.name, "contract": contract.file, "data": contract.data}
        counts = {"rows": written.rows, "columns": len(contract.columns)}
        print_json("data.infer", {**facts, **counts, "key": list(contract.key)})
    else:
        counts_text = f"{len(contract.columns)} columns from {written.rows} rows"
        say(f"wrote {contract.file}: {counts_text}; read it and correct it")


def _show_update(updated: Updated, *, json: bool) -> None:
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say

    contract = updated.contract
    if json:
        facts = {"dataset": contract.name, "contract": contract.file, "diff": updated.diff}
        lists = {
            "changes": [asdict(item) for item in updated.changes],
            "left": [asdict(item) for item in updated.left],
        }
        print_json("data.infer.update", {**facts, **lists, "written": updated.written})
        return
    if updated.diff:
        say(updated.diff.rstrip("\n"))
    for item in updated.left:
        say(f"left: {item.column or 'the table'}: {item.rule}: {item.why}")
    if updated.written:
        say(f"wrote {contract.file}")
    elif updated.diff:
        say("nothing written; --write applies this")
    elif not updated.left:
        say(f"{contract.file}: the data keeps it")
