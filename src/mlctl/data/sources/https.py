"""A file on the web, fetched in pieces over a secure connection."""

from __future__ import annotations

from pathlib import Path

from mlctl.data.source import Fetched
from mlctl.data.sources.http import download


def fetch(reference: str, folder: Path) -> Fetched:
    """Download over https. Raises NotAble where the server cannot be reached or refuses."""
    return download(f"https:{reference}", folder)
