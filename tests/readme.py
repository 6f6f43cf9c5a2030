"""The two commands that README.md opens with."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def command(name: str) -> str:
    """The line under `<!-- command: NAME -->`."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- command: {name} -->\n```sh\n(.+)\n```\n", text)
    assert found, f"README.md has no command called {name!r}, or more than one line of it"
    return found[1]
