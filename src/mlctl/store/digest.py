"""What DVC writes down of a file or a folder: the value that pointers and locks hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Digest:
    """What DVC writes of one file or folder: `md5` ends in `.dir` for a folder.

    `legacy` marks the DVC 2.x `md5-dos2unix` hash, which is written without `hash: md5`.
    `extra` keeps what only remotes need (`cloud`, `files`, `etag`, …) as it was read.
    """

    md5: str
    size: int | None = None
    nfiles: int | None = None
    isexec: bool = False
    legacy: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def isdir(self) -> bool:
        return self.md5.endswith(".dir")
