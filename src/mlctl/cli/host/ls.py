"""`mlctl host ls`."""

from __future__ import annotations

from typing import Any

import typer

from mlctl.cli._options import Directory, Json
from mlctl.errors import NotAble

app = typer.Typer()


@app.command()
def ls(directory: Directory = None, json: Json = False) -> int:
    """The hosts of the project: their load, their GPUs and their free space, at a glance.

    Examples:

        $ mlctl host ls
    """
    from mlctl.cli._output import print_json, say, styled
    from mlctl.cli.host._common import each_host

    answers = each_host(None, lambda host: host.call("facts"))
    if json:
        told = [
            {"host": name, "error": str(answer), "facts": None}
            if isinstance(answer, NotAble)
            else {"host": name, "error": None, "facts": answer}
            for name, answer in answers.items()
        ]
        print_json("host.ls", {"hosts": told})
        return 0
    width = max(map(len, answers))
    for name, answer in answers.items():
        if isinstance(answer, NotAble):
            say(f"{name:<{width}}  {styled(str(answer.message), '31')}")
        else:
            say(f"{name:<{width}}  {_line(answer)}")
    return 0


def _line(facts: dict[str, Any]) -> str:
    load = f"load {facts['load'][0]:.1f} of {facts['cpus']}"
    memory = f"{facts['memory'] / 2**30:.0f} GiB"
    disk = f"{facts['disk']['free'] / 1e9:.0f} GB free"
    gpus = facts["gpus"]
    if not gpus:
        return f"{load:<15}  {memory}  {disk}  no GPU"
    free = sum(not gpu["leased"] and not gpu["users"] for gpu in gpus)
    names = ", ".join(sorted({gpu["name"] for gpu in gpus}))
    return f"{load:<15}  {memory}  {disk}  {free} of {len(gpus)} GPUs free ({names})"
