"""What a source of data gives back, and how a source is written on the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

EXTRAS = {"sklearn": "sklearn", "sqlite": "sql", "postgres": "sql", "postgresql": "sql"}
FILES = ("sqlite",)  # schemes whose reference is a path

_SCHEME = re.compile(r"([a-z][a-z0-9-]+):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that a source has put down.

    `source` is what is committed as its origin: no secrets and no absolute path of this machine.
    `details` are further facts for the record, such as an ETag or the names of the classes.
    """

    file: Path
    source: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """A plug-in module of `mlctl.data.sources`; one of a database has `fetch_query` instead."""

    def fetch(self, reference: str, folder: Path) -> Fetched:
        """Fetch what stands behind the scheme (`wine` of `sklearn:wine`) into `folder`."""

    def fetch_query(self, reference: str, query: str, folder: Path) -> Fetched:
        """Fetch the rows of a query."""


def split(text: str) -> tuple[str, str]:
    """Scheme and reference: `sklearn:wine` is (`sklearn`, `wine`); no scheme means a path."""
    match = _SCHEME.fullmatch(text)
    if match is None:
        return "path", text
    scheme, reference = match.groups()
    if scheme == "file":
        return "path", reference.removeprefix("//")
    return scheme, reference
