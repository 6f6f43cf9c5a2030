"""`mlctl data contract export`: a contract as pandera's YAML."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def export(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The contract's name.")],
    out: Annotated[
        str | None, typer.Option("-o", "--out", metavar="FILE", help="Where to write it.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Write a contract as YAML that pandera 0.35 loads; to the terminal unless --out is given.

    What pandera does not judge, or not as strictly, is told on stderr. It stands in the file all
    the same, so that `mlctl data contract import` gives the same contract back.

    Examples:

        $ mlctl data contract export orders -o schema.yaml
    """
    import sys

    from mlctl.cli._output import print_json, say
    from mlctl.data.exchange import export_contract
    from mlctl.store.config import find_root

    exported, text = export_contract(find_root("."), dataset, out=out)
    if json:
        facts = {"dataset": dataset, "out": out, "left": list(exported.left)}
        print_json("data.contract.export", {**facts, "schema_text": text})
        return 0
    for said in exported.left:
        sys.stderr.write(f"note: {said}\n")
    say(text.rstrip("\n") if out is None else f"wrote {out}")
    return 0
