"""What every verb prints with. Rich is imported only where a table or a board is drawn."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def print_json(verb: str, data: dict[str, Any], *, version: int = 1) -> None:
    """Print one JSON document whose `schema` is `mlctl.<verb>/<version>`."""
    text = json.dumps(
        {"schema": f"mlctl.{verb}/{version}", **data}, indent=2, ensure_ascii=False, default=str
    )
    sys.stdout.write(text + "\n")


def console(*, stderr: bool = False) -> Console:
    """A rich console that honours NO_COLOR and a pipe."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """One line to stdout, as it is; bytes of a file name that are no UTF-8 are shown as `?`."""
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def styled(text: str, code: str) -> str:
    """`text` in an ANSI style where that shows: 1 bold, 2 dim, 31 red, 32 green, 33 yellow."""
    return f"\033[{code}m{text}\033[0m" if _colours(sys.stdout) else text


def error_text(message: str, hint: str | None) -> str:
    """`error: …` and `hint: …`, as every failing verb ends; nothing in it moves the cursor."""
    from mlctl.cli._text import visible

    message = "\n".join(map(visible, message.split("\n")))
    red, dim, end = ("\033[1;31m", "\033[2m", "\033[0m") if _colours(sys.stderr) else ("", "", "")
    text = f"{red}error:{end} {message}\n"
    return f"{text}{dim}hint:{end}  {hint}\n" if hint else text


def _colours(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()
