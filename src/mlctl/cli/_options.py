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
RunTargets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="Stages, groups, dvc.yaml or .dvc files, or outs; default: ./dvc.yaml.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="Stages, groups, dvc.yaml or .dvc files, or outs; default: all.",
    ),
]
Downstream = Annotated[
    bool, typer.Option("--downstream", help="The targets and all that depends on them.")
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", "-k", help="After a failure, finish what does not depend on it."),
]
RecordCommit = Annotated[
    bool | None,
    typer.Option("--commit/--no-record-commit", help="Commit the run's record, or do not."),
]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-R", help="Targets may be folders: all stages in them.")
]
AllPipelines = Annotated[
    bool, typer.Option("--all-pipelines", "-P", help="Everything in the project.")
]
Check = Annotated[bool, typer.Option("--check", help="End with 1 if anything is changed (for CI).")]
Stages = Annotated[list[str], typer.Argument(metavar="STAGE...", help="Stages, or .dvc files.")]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]",
        help="Its short id (characters 11 to 16 of its id), the start of either, `last`, or "
        "`last~1`, the one before.",
    ),
]
Table = Annotated[str, typer.Argument(metavar="DATA", help="A table: CSV, Parquet, JSONL, …")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines (versioned schema).")]
Jobs = Annotated[
    int | None, typer.Option("-j", "--jobs", metavar="N", min=1, help="Stages at one time.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]
