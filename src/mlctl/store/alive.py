"""Which processes still work on a repository: living ones, and killed ones whose stages live on."""

from __future__ import annotations

import os
from contextlib import suppress

from mlctl.adapters.files import is_locked
from mlctl.store.config import Config


def is_at_work(config: Config, pid: int) -> bool:
    """Whether a process of this number lives on this machine, or something of it is still ended."""
    return is_alive(pid) or _is_watched(config.local_dir, pid)


def is_alive(pid: int) -> bool:
    """Whether a process of this number lives on this machine; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:  # another system than Linux
        return True


def watch_folder(local_dir: str) -> str:
    """Where each run has a file `PID-RUN_ID`, held until nothing of the run is at work any more."""
    return os.path.join(local_dir, "watch")


def _is_watched(local_dir: str, pid: int) -> bool:
    """Whether something of a killed mlctl is still being ended (`mlctl.executors._watcher`)."""
    folder = watch_folder(local_dir)
    with suppress(OSError):
        names = [name for name in os.listdir(folder) if name.startswith(f"{pid}-")]
        return any(is_locked(os.path.join(folder, name)) for name in names)
    return False
