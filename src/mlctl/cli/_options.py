"""The options that mean the same on every verb, declared once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mlctl.errors import InvalidInput


def _enter(directory: Path | None) -> Path | None:
    if directory is not None:
        try:
            os.chdir(directory)
        except OSError as error:
            raise InvalidInput(f"cannot enter {directory}: {error.strerror}") from None
    return directory


Directory = Annotated[
    Path | None,
    typer.Option("-C", "--cd", metavar="DIR", help="Run as if started in DIR.", callback=_enter),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines (versioned schema).")]
Jobs = Annotated[
    int | None, typer.Option("-j", "--jobs", metavar="N", min=1, help="Stages at one time.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]
