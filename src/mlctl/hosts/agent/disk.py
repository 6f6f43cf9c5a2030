"""Files that survive: whole or not there, and known to the disk before they are relied on."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from typing import Any


def write(path: str, data: Any) -> None:
    """Replace `path` by `data` (bytes, or what is JSON), durably."""
    if not isinstance(data, bytes):
        data = json.dumps(data, sort_keys=True).encode()
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, ".tmp-" + new_name())
    try:
        with open(temporary, "xb", opener=_private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    sync(folder)


def new_name() -> str:
    """A name that nothing else has."""
    return os.urandom(8).hex()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync_all(path: str) -> None:
    """Bring all of the file system that `path` lies on to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        import ctypes

        if ctypes.CDLL(None).syncfs(handle):
            os.sync()
    except (ImportError, OSError, AttributeError):
        os.sync()
    finally:
        os.close(handle)


def sync(path: str) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: str) -> Any:
    """The JSON in `path`, or None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return json.loads(file.read().decode())
    except FileNotFoundError:
        return None


def read_lines(path: str) -> list[Any]:
    """The JSON in each line of `path`, without a last one that was cut off; none without a file."""
    try:
        with open(path, "rb") as file:
            return [json.loads(line.decode()) for line in file if line.endswith(b"\n")]
    except FileNotFoundError:
        return []


def copy(source: str, target: str) -> None:
    """Copy the bytes of a file (`shutil` takes its time to be imported)."""
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        for data in iter(lambda: reader.read(1 << 20), b""):
            left = memoryview(data)
            while left:
                left = left[writer.write(left) :]


def remove(path: str) -> None:
    """Remove a file that may be gone."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def hold(path: str, *, create: bool = True) -> int | None:
    """An open descriptor that locks `path` for as long as it lives, or None where another does.

    Locks of one's own files are opened for writing; those of others can be locked all the same.
    """
    flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
    handle = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    return handle


def is_held(path: str) -> bool:
    """Whether a living process holds `path`."""
    try:
        handle = hold(path, create=False)
    except FileNotFoundError:
        return False
    if handle is None:
        return True
    os.close(handle)
    return False


class Locked:
    """The file `path`, made where it is not there, is locked in the block; who comes later waits.

    With `shared`, others may hold it so at the same time.
    """

    def __init__(self, path: str, *, shared: bool = False) -> None:
        self._path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX

    def __enter__(self) -> None:
        self._handle = _opened(self._path)
        fcntl.flock(self._handle, self._kind)

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _opened(path: str) -> int:
    """One that is there need not be writable for us: it may be another user's."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def against_gc(home: str, *, shared: bool) -> Locked:
    """Held `shared` while a job is being made, so that nothing that it needs is collected."""
    return Locked(os.path.join(home, "gc.lock"), shared=shared)
