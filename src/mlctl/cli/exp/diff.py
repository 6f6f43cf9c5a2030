"""`mlctl exp diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli._values import Markdown

app = typer.Typer()


@app.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="[A]", help="The old run.")] = "last~1",
    b: Annotated[
        str,
        typer.Argument(metavar="[B]", help="The new run; `workspace` is the files as they are."),
    ] = "last",
    code: Annotated[bool, typer.Option("--code", help="Print the code's patch, too.")] = False,
    md: Markdown = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Compare two runs: metrics, parameters, code, data, packages, machine.

    Data that a stage made is told from data that came from outside: what is derived follows from
    the rest. With one run, it is compared with the last one.

    Examples:

        $ mlctl exp diff

        $ mlctl exp diff K3F9QZ last --code

        $ mlctl exp diff last workspace
    """
    import os
    from dataclasses import asdict

    from mlctl.cli._output import print_json, say
    from mlctl.cli.exp._difference import print_difference
    from mlctl.experiments.again.codes import compare_code
    from mlctl.experiments.again.difference import difference
    from mlctl.experiments.again.side import load_side
    from mlctl.experiments.again.workspace import WORKSPACE, workspace_side
    from mlctl.records.canonical import plain
    from mlctl.store.config import find_root

    root = find_root(os.getcwd())
    old, new = (
        workspace_side(root) if name == WORKSPACE else load_side(root, name) for name in (a, b)
    )
    found, codes = difference(old, new), compare_code(root, old, new, patch=code)
    if json:
        ids = {
            side: None if name == WORKSPACE else run.head.id
            for side, name, run in (("a", a, old), ("b", b, new))
        }
        print_json("exp.diff", {**ids, **plain(asdict(found)), "code": plain(asdict(codes))})
        return 0
    print_difference(old, new, (a, b), found, codes, markdown=md)
    if codes.patch:
        say()
        for line in codes.patch.splitlines():
            say(line)
    return 0
