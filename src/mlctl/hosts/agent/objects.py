"""What was sent to the host, by content, in DVC's layout: `objects/files/md5/ab/cdef…`.

An object has the mode 0444 and its name only when its bytes were verified. Its modification time is
TRUSTED once they are on the disk, too: jobs get links to objects, and whoever writes through one
changes that time. An object of another time is hashed before it is used, and dropped where it is
damaged. `whole/<md5>.dir` says that a folder's listing and all that it lists are there.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import IO, Any, Callable, Dict, Iterable, Mapping, Union

from mlctl.hosts.agent import disk

ENTRY = struct.Struct(">32s4sQ")  # MD5 in hex, "" or ".dir", size in bytes
CHUNK = 1 << 20
TRUSTED = 946_684_800 * 10**9  # nanoseconds: the first moment of 2000
_SYNC_EACH = 8  # up to so many objects a sync of each is cheaper than one of all
Read = Callable[[int], Union[bytes, memoryview]]  # so many bytes, fewer only at the end


class Damaged(Exception):
    """Bytes that are not what their name says."""


class Objects:
    """The objects below a home."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._folder = os.path.join(home, "objects", "files", "md5")
        self._fresh: Dict[str, None] = {}  # ids of what is not known to be on the disk

    def path(self, md5: str) -> str:
        return os.path.join(self._folder, md5[:2], md5[2:])

    def has(self, md5: str) -> bool:
        """Whether the object is there and sound; a damaged one is dropped."""
        try:
            if os.stat(self.path(md5)).st_mtime_ns == TRUSTED or md5 in self._fresh:
                return True
        except FileNotFoundError:
            return False
        if not self.is_sound(md5):
            self.drop(md5)
            return False
        self._fresh[md5] = None
        self.sync()
        return True

    def is_sound(self, md5: str) -> bool:
        """Whether the object has the bytes that its name says."""
        return file_md5(self.path(md5)) == md5.partition(".")[0]

    def drop(self, md5: str) -> None:
        """Remove an object; what was known of folders may hold no more."""
        self.forget_folders()
        disk.remove(self.path(md5))

    def forget_folders(self) -> None:
        """Forget which folders are whole: to be done before any object goes."""
        whole = os.path.join(self.home, "whole")
        for name in os.listdir(whole):
            disk.remove(os.path.join(whole, name))

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

    def code(self, md5: str) -> Mapping[str, Any]:
        """The listing of a code: `files` (path, MD5, executable) and `links` (path, target)."""
        with open(self.path(md5), "rb") as file:
            listing: Mapping[str, Any] = json.loads(file.read().decode())
        return listing

    def receive(self, read: Read) -> int:
        """Take in a pack (ENTRY and bytes, again and again) from `read(size)`; the number taken.

        An object that was cut off is not kept; those before it are. Raises Damaged.
        """
        count = 0
        try:
            while True:
                header = read(ENTRY.size)
                if not header:
                    return count
                name, suffix, size = ENTRY.unpack(header)
                self._receive(name.decode() + suffix.rstrip(b"\0").decode(), size, read)
                count += 1
        finally:
            self.sync()

    def _receive(self, md5: str, size: int, read: Read) -> None:
        temporary = self._temporary()
        try:
            with open(temporary, "xb") as file:
                copy_verified(read, size, md5, file)
            self._name(temporary, md5)
        except BaseException:
            disk.remove(temporary)
            raise

    def _name(self, temporary: str, md5: str) -> None:
        os.chmod(temporary, 0o444)
        target = self.path(md5)
        try:
            os.replace(temporary, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(temporary, target)
        self._fresh[md5] = None

    def _temporary(self) -> str:
        return os.path.join(self.home, "tmp", disk.new_name())

    def take_in(self, md5: str, read: Read) -> None:
        """Make what `read(size)` gives, to its end, the object `md5`. Raises Damaged.

        Call `sync` after the last one.
        """
        temporary = self._temporary()
        try:
            digest = _new_md5()
            with open(temporary, "xb") as file:
                for data in iter(lambda: read(CHUNK), b""):
                    digest.update(data)
                    file.write(data)
            _require(digest, md5)
            self._name(temporary, md5)
        except BaseException:
            disk.remove(temporary)
            raise

    def take(self, path: str, *, link: bool) -> tuple[str, int]:
        """Make the file at `path` an object where it is none yet: `(md5, size)`.

        The object is a copy, or with `link` the file itself where that is possible. Call `sync`
        after the last one. Raises Damaged where it changes meanwhile.
        """
        before = os.stat(path)
        md5 = file_md5(path)
        after = os.stat(path)
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            raise Damaged("{} changed while it was read".format(path))
        if not self.has(md5):
            temporary = self._temporary()
            try:
                if not (link and before.st_nlink == 1 and hard_link(path, temporary)):
                    disk.copy(path, temporary)
                self._name(temporary, md5)
            except BaseException:
                disk.remove(temporary)
                raise
        return md5, before.st_size

    def put(self, data: bytes, suffix: str = "") -> str:
        """Make `data` an object; its id."""
        digest = _new_md5()
        digest.update(data)
        md5: str = digest.hexdigest() + suffix
        if not self.has(md5):
            temporary = self._temporary()
            try:
                with open(temporary, "xb") as file:
                    file.write(data)
                self._name(temporary, md5)
            except BaseException:
                disk.remove(temporary)
                raise
        return md5

    def sync(self) -> None:
        """Bring all that is new to the disk; from then on it is trusted."""
        paths = [self.path(md5) for md5 in self._fresh]
        if len(paths) > _SYNC_EACH:
            disk.sync_all(self.home)
        else:
            for path in paths:
                disk.sync(path)
                disk.sync(os.path.dirname(path))
        for path in paths:
            try:
                os.utime(path, ns=(TRUSTED, TRUSTED))
            except FileNotFoundError:  # somebody found it damaged
                continue
        self._fresh.clear()


def copy_verified(read: Read, size: int, md5: str, file: IO[bytes]) -> None:
    """Write `size` bytes to the buffered file. Raises Damaged where they are not those of `md5`.

    `read` may give fewer bytes than it is asked for, and none only at the end.
    """
    digest = _new_md5()
    while size:
        data = read(min(size, CHUNK))
        if not data:
            raise Damaged("{} was cut off".format(md5))
        digest.update(data)
        file.write(data)
        size -= len(data)
    _require(digest, md5)


def _require(digest: Any, md5: str) -> None:
    if digest.hexdigest() != md5.partition(".")[0]:
        raise Damaged("{} came with other bytes".format(md5))


def file_md5(path: str) -> str:
    """The MD5 of a file's bytes, in hex."""
    digest = _new_md5()
    with open(path, "rb", buffering=0) as file:
        for data in iter(lambda: file.read(CHUNK), b""):
            digest.update(data)
    found: str = digest.hexdigest()
    return found


def _new_md5() -> Any:
    return hashlib.new("md5", usedforsecurity=False)  # a host may forbid it for security


def hard_link(source: str, target: str) -> bool:
    """Whether a hard link could be made."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
