"""What was seen of one file or folder: its digest, and the files that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from mlctl.store.digest import Digest
from mlctl.store.state import Signature


class Entry(NamedTuple):
    """One file: POSIX path in the folder (empty for a single file), content, and where it lies."""

    relpath: str
    md5: str
    size: int
    path: str
    signature: Signature


@dataclass(frozen=True)
class Observed:
    """A file or a folder at one moment. `path` is absolute; `entries` are sorted by `relpath`.

    `executables` are the files of a folder that anybody may execute, by their `relpath`.

    The entries of a folder that did not change are read from the state database when first asked.
    """

    key: str
    path: str
    digest: Digest
    load: Callable[[], tuple[Entry, ...]] = field(repr=False, compare=False)
    stats: Callable[[], Mapping[str, Signature]] = field(default=dict, repr=False, compare=False)
    executables: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        return self.load()

    @cached_property
    def signatures(self) -> Mapping[str, Signature]:
        """The signature of each file when this was observed, by its `relpath`."""
        return self.stats()
