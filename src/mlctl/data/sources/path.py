"""A file on this machine: `../downloads/raw.csv` or `file:///data/raw.csv`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

from mlctl.adapters.files import copy_file
from mlctl.data.source import Fetched
from mlctl.errors import InvalidInput


def fetch(reference: str, folder: Path) -> Fetched:
    """Copy the file. Its origin is its name alone, since its place means nothing elsewhere."""
    path = Path(os.path.expanduser(reference))
    if not path.exists():
        path = Path(unquote(reference))
    if not path.is_file():
        raise InvalidInput(f"{reference}: {'a folder' if path.is_dir() else 'no such file'}")
    target = folder / path.name
    copy_file(path, target)
    return Fetched(target, f"file:{path.name}")
