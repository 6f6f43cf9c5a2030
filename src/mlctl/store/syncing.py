"""Bringing what was written to the disk: a file or a whole file system, also beside other work."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Set
from contextlib import suppress

from mlctl.adapters.files import sync


def sync_file(path: str) -> None:
    """Bring a file's bytes to the disk; one that is gone needs none of that."""
    with suppress(FileNotFoundError):
        sync(path)


def sync_file_system(folder: str) -> bool:
    """One sync for the whole file system of `folder`; False where there is no such call."""
    if sys.platform != "linux":
        return False
    import ctypes

    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return bool(ctypes.CDLL(None).syncfs(handle) == 0)
    except AttributeError:
        return False
    finally:
        os.close(handle)


class SyncBegun:
    """A sync of the file system of `folder` that goes on while the caller does something else.

    `paths` were written and named before; nothing is known of what is written after.
    """

    def __init__(self, folder: str, paths: Set[str]) -> None:
        self._folder = folder
        self._paths = paths
        self._done = False
        self._thread = threading.Thread(target=self._sync, daemon=True)
        self._thread.start()

    def wait(self) -> Set[str]:
        """The paths that are on the disk now: all, or none where the sync failed."""
        self._thread.join()
        return self._paths if self._done else frozenset()

    def _sync(self) -> None:
        with suppress(OSError):
            self._done = sync_file_system(self._folder)
