"""What was sent to the host, by content, in DVC's layout: `objects/files/md5/ab/cdef…`.

An object has the mode 0444 and its name only when its bytes were verified. `whole/<md5>.dir` says
that a folder's listing and all that it lists are there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import tempfile
from typing import IO, Callable, Dict, Iterable

from mlctl.hosts.agent import disk

ENTRY = struct.Struct(">32s4sQ")  # MD5 in hex, "" or ".dir", size in bytes
CHUNK = 1 << 20
Read = Callable[[int], bytes]  # so many bytes, fewer only at the end


class Damaged(Exception):
    """Bytes that are not what their name says."""


class Objects:
    """The objects below a home."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._folder = os.path.join(home, "objects", "files", "md5")

    def path(self, md5: str) -> str:
        return os.path.join(self._folder, md5[:2], md5[2:])

    def has(self, md5: str) -> bool:
        return os.path.exists(self.path(md5))

    def missing(self, md5s: Iterable[str]) -> list[str]:
        """Those of `md5s` that must be sent, in order; a folder may lack files that it lists."""
        found: Dict[str, None] = {}
        for md5 in md5s:
            if not self.has(md5):
                found[md5] = None
            elif md5.endswith(".dir") and not self.is_whole(md5):
                for _, inner in self.listing(md5):
                    if not self.has(inner):
                        found[inner] = None
        return list(found)

    def is_whole(self, tree: str) -> bool:
        """Whether all that a folder lists was seen to be here; what was seen is remembered."""
        marker = os.path.join(self.home, "whole", tree)
        if os.path.exists(marker):
            return True
        if not all(self.has(md5) for _, md5 in self.listing(tree)):
            return False
        with open(marker, "wb"):
            pass
        return True

    def listing(self, tree: str) -> list[tuple[str, str]]:
        """`(relpath, md5)` of a folder's files."""
        with open(self.path(tree), "rb") as file:
            entries = json.loads(file.read().decode())
        return [(entry["relpath"], entry["md5"]) for entry in entries]

    def receive(self, read: Read) -> int:
        """Take in a pack (ENTRY and bytes, again and again) from `read(size)`; the number taken.

        An object that was cut off is not kept; those before it are. Raises Damaged.
        """
        count = 0
        while True:
            header = read(ENTRY.size)
            if not header:
                self.sync()
                return count
            name, suffix, size = ENTRY.unpack(header)
            self._receive(name.decode() + suffix.rstrip(b"\0").decode(), size, read)
            count += 1

    def _receive(self, md5: str, size: int, read: Read) -> None:
        handle, temporary = tempfile.mkstemp(dir=os.path.join(self.home, "tmp"))
        try:
            with os.fdopen(handle, "wb") as file:
                _copy(read, size, md5, file)
            self._name(temporary, md5)
        except BaseException:
            disk.remove(temporary)
            raise

    def _name(self, temporary: str, md5: str) -> None:
        os.chmod(temporary, 0o444)
        target = self.path(md5)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(temporary, target)

    def take(self, path: str) -> tuple[str, int]:
        """Make the file at `path` an object where it is none yet: `(md5, size)`.

        It stays where it is, as a link to the object or as a copy. Raises Damaged where it changes
        meanwhile.
        """
        before = os.stat(path)
        digest = hashlib.md5()
        with open(path, "rb", buffering=0) as file:
            for data in iter(lambda: file.read(CHUNK), b""):
                digest.update(data)
        after = os.stat(path)
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            raise Damaged("{} changed while it was read".format(path))
        md5 = digest.hexdigest()
        if not self.has(md5):
            temporary = os.path.join(self.home, "tmp", "{}.{}".format(md5, os.getpid()))
            disk.remove(temporary)
            try:
                os.link(path, temporary)
            except OSError:
                shutil.copyfile(path, temporary)
            self._name(temporary, md5)
        return md5, before.st_size

    def put(self, data: bytes, suffix: str = "") -> str:
        """Make `data` an object; its id."""
        md5 = hashlib.md5(data).hexdigest() + suffix
        if not self.has(md5):
            handle, temporary = tempfile.mkstemp(dir=os.path.join(self.home, "tmp"))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            self._name(temporary, md5)
        return md5

    def sync(self) -> None:
        """Bring all that was received to the disk."""
        handle = os.open(self.home, os.O_RDONLY)
        try:
            import ctypes

            if ctypes.CDLL(None).syncfs(handle):
                os.sync()
        except (ImportError, OSError, AttributeError):
            os.sync()
        finally:
            os.close(handle)


def _copy(read: Read, size: int, md5: str, file: IO[bytes]) -> None:
    """Write `size` bytes to the file. Raises Damaged where they are not those of `md5`."""
    digest = hashlib.md5()
    while size:
        data = read(min(size, CHUNK))
        if not data:
            raise Damaged("{} was cut off".format(md5))
        digest.update(data)
        file.write(data)
        size -= len(data)
    if digest.hexdigest() != md5.partition(".")[0]:
        raise Damaged("{} came with other bytes".format(md5))
