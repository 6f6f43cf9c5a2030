"""The options that the verbs of `mlctl data` share."""

from __future__ import annotations

from typing import Annotated

import typer

DataTargets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="Data, outs, files in them, .dvc files or stages; default: all.",
    ),
]
RemoteName = Annotated[
    str | None,
    typer.Option("-r", "--remote", metavar="NAME", help="The remote; default: core.remote."),
]
TransferJobs = Annotated[
    int | None, typer.Option("-j", "--jobs", metavar="N", min=1, help="Objects at one time.")
]
Force = Annotated[
    bool, typer.Option("-f", "--force", help="Throw changes away that are nowhere else.")
]
