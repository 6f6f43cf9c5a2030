"""Which processes of a run are there: by the mark that its stages carry in their environment."""

from __future__ import annotations

import os
from pathlib import Path


def of_run(mark: str) -> dict[int, str]:
    """The living processes with the variable `mark` (`NAME=VALUE`) and their commands."""
    found = {}
    for place in Path("/proc").iterdir():
        if not place.name.isdigit() or int(place.name) == os.getpid():
            continue
        try:
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
            marked = mark.encode() in (place / "environ").read_bytes().split(b"\0")
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
        if marked and state not in "ZX":
            found[int(place.name)] = command
    return found
