"""What one walk of a folder met: names and signatures, in columns.

A folder may have a million files, and nothing more is needed of most of them than that they are as
they were. A tuple of a name, a path and a stat for each took most of the time and of the memory.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mlctl.store.hashing import EXECUTABLE
from mlctl.store.ignore import Ignore
from mlctl.store.state import INODE, Signature


class WalkedFile(NamedTuple):
    """One file: its POSIX path in the folder (empty for a single file), and where it lies."""

    relpath: str
    path: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Walked:
    """The files of the folder at `path`, in the order of the walk; four numbers for each.

    `executables` are the names of those that anybody may execute.
    """

    path: str
    names: list[str]
    numbers: array[int]
    executables: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[WalkedFile]:
        for name, sign in zip(self.names, self._signatures(), strict=True):
            yield WalkedFile(name, f"{self.path}/{name}", sign)

    def _signatures(self) -> Iterator[Signature]:
        numbers = iter(self.numbers)
        return map(Signature, numbers, numbers, numbers, numbers)

    def signatures(self) -> dict[str, Signature]:
        """The signature of each file, by its path in the folder."""
        return dict(zip(self.names, self._signatures(), strict=True))

    def signature(self) -> bytes:
        """One value for all names and signatures.

        It is stable while no folder changes, and any change only costs a closer look.
        """
        hasher = hashlib.blake2b(self.numbers.tobytes(), digest_size=16)
        hasher.update(os.fsencode("\0".join(self.names)))
        return hasher.digest()

    def replaced(self, changed: Mapping[str, Signature]) -> Walked:
        """The same with other signatures for some files."""
        if not changed:
            return self
        numbers = array("q")
        for name, sign in zip(self.names, self._signatures(), strict=True):
            numbers.extend(changed.get(name, sign))
        return Walked(self.path, self.names, numbers, self.executables)


def walk(path: str, key: str, ignore: Ignore) -> Walked:
    """Walk the folder `key`, which lies at `path`. Raises as `Ignore.walk` does."""
    names: list[str] = []
    executables: list[str] = []
    numbers = array("q")
    add, extend = names.append, numbers.extend
    for relpath, st in ignore.walk(key):
        add(relpath)
        # `state.signature` and `is_executable` without the calls, which took a fifth of the time
        extend((st.st_mtime_ns, st.st_ctime_ns, st.st_size, st.st_ino & INODE))
        if st.st_mode & EXECUTABLE:
            executables.append(relpath)
    return Walked(path, names, numbers, tuple(executables))
