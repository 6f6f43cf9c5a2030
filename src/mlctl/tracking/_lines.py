"""Files that grow by lines: a line is in the kernel when `write` returns, on the disk soon after.

One `write(2)` to a file opened with O_APPEND is not mixed with that of another thread or process,
and what it has taken survives the process. A thread brings it to the disk, so nobody waits for it.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from typing import Deque, Optional

from ._fork import renew_in_child
from ._warn import reason, warn

_PAUSE = 0.4  # seconds that lines may be in the kernel alone
_RETRY = 1.0  # seconds until the next try after one that failed


class Lines:
    """One such file; it and its folder are made when the first line comes. Raises no OSError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.RLock()  # a signal's handler may log while its thread does
        self._handle = -1
        self._torn = False
        self._unsynced = self._syncing = False
        self._closing = False
        self._silent_until = 0.0
        renew_in_child(self)

    def write(self, line: bytes) -> None:
        """Add a line, which ends in a newline."""
        with self._lock:
            try:
                if self._handle < 0 or self._torn:
                    line = self._prepared(line)
                    if not line:
                        return
                written = os.write(self._handle, line)
                while written < len(line):
                    self._torn = True
                    line = line[written:]
                    written = os.write(self._handle, line)
                self._torn = False
            except OSError as error:
                self._failed(error)
                return
            if not self._unsynced:
                self._unsynced = True
                _syncer.add(self)

    def sync(self) -> None:
        """Bring to the disk what is not there yet, and close the file if nobody needs it more."""
        self._syncing = True  # until then nobody closes the file
        self._unsynced = False  # before, so that what is written meanwhile asks again
        if self._handle >= 0:
            try:
                os.fsync(self._handle)
            except OSError as error:
                self._failed(error)
        with self._lock:
            self._syncing = False
            if self._closing and not self._unsynced:
                self._shut()

    def close(self) -> None:
        """No more lines are expected; one that comes all the same opens the file again.

        Nobody waits: what is not on the disk yet is brought there as always.
        """
        with self._lock:
            if self._unsynced or self._syncing:
                self._closing = True
            else:
                self._shut()

    def _shut(self) -> None:
        self._closing = False
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            os.close(handle)

    def forked(self) -> None:
        """In a new process: a file of its own, and no lock that a thread of the other one holds."""
        self._lock = threading.RLock()
        self._unsynced = self._syncing = False
        self._shut()

    def _prepared(self, line: bytes) -> bytes:
        """The line, behind a newline where the file ends in a torn one; nothing for now after an
        error.
        """
        if self._silent_until and time.monotonic() < self._silent_until:
            return b""
        if self._handle < 0:
            self._handle = _opened(self.path)
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            return b"\n" + line
        return line

    def _failed(self, error: OSError) -> None:
        self._torn = True
        self._silent_until = time.monotonic() + _RETRY
        warn("write", f"logging fails, and training goes on without it: {reason(error)}")


def _opened(path: str) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o666)


class _Syncer:
    """A thread which syncs the files that have new lines."""

    def __init__(self) -> None:
        self.forked()
        renew_in_child(self)

    def forked(self) -> None:
        """Begin anew: a child has none of its parent's threads."""
        self._wanted: Deque[Lines] = deque()
        self._wake = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def add(self, lines: Lines) -> None:
        self._wanted.append(lines)
        self._wake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="mlctl-sync", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter ends, or no thread is left: `flush` comes
                return

    def flush(self) -> None:
        while self._wanted:
            self._wanted.popleft().sync()

    def _work(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_PAUSE)
            self._wake.clear()
            try:
                self.flush()
            except IndexError:  # another thread took the last one
                continue


_syncer = _Syncer()
atexit.register(_syncer.flush)
