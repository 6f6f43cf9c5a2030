"""Who shows a run's events: a board on a terminal, lines in a pipe, JSON for machines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlctl.cli._board import Board
    from mlctl.cli._json import JsonLines
    from mlctl.cli._plain import Plain

    View = Board | JsonLines | Plain


def view(json: bool, quiet: bool, verbose: bool) -> View:
    """The reader of the event stream that the options ask for; `close` it in `finally`."""
    if json:
        from mlctl.cli._json import JsonLines

        return JsonLines()
    if sys.stdout.isatty() and not quiet:
        from mlctl.cli._board import Board

        return Board(verbose=verbose)
    from mlctl.cli._plain import Plain

    return Plain(quiet=quiet, verbose=verbose)
