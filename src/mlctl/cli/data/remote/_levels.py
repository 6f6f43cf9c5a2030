"""Which of DVC's configuration files a verb writes."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.adapters.remote_config import Level

Local = Annotated[
    bool, typer.Option("--local", help="Write .dvc/config.local, which git does not see.")
]
Global = Annotated[bool, typer.Option("--global", help="Write your own configuration.")]
FILES = {"repo": ".dvc/config", "local": ".dvc/config.local", "global": "your configuration"}


def level_of(local: bool, everywhere: bool) -> Level:
    """The level that the options name; the repository's own without any."""
    return "local" if local else "global" if everywhere else "repo"
