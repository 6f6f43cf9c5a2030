"""mlctl's side of the watcher: started before a run's first process, told of each.

See `_watcher` for what it does when mlctl is killed.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from mlctl.adapters import files
from mlctl.executors import _watcher
from mlctl.store.alive import watch_folder
from mlctl.store.state import make_local_dir

_PATIENCE = _watcher.GRACE + 3.0  # seconds to wait for it, where it has something to end


class RunWatcher:
    """The watcher of one run; nothing is started before `start`. Safe for threads."""

    def __init__(self, local_dir: str, run_id: str) -> None:
        self._local_dir = local_dir
        self._run_id = run_id
        self._lock = threading.Lock()
        self._pipe: int | None = None
        self._handle: int | None = None
        self._started = False
        self._life: threading.Thread | None = None  # ends when the watcher does
        self._path = ""

    def start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
            make_local_dir(self._local_dir)
            folder = watch_folder(self._local_dir)
            os.makedirs(folder, exist_ok=True)
            self._path = os.path.join(folder, f"{os.getpid()}-{self._run_id}")
            # Ours too as long as we live: where the watcher alone is killed, nothing is abandoned.
            self._handle = _held(self._path)
            self._life, self._pipe = _spawn(self._run_id, self._path, self._handle)

    def began(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def ended(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def close(self, *, leave: bool) -> None:
        """The run is over. Without `leave`, all that is left of it is ended before this returns."""
        self._tell(".\n" if leave else "!\n")
        if leave:
            with suppress(OSError):
                os.unlink(self._path)  # itself, lest the watcher was killed
        with self._lock:
            for handle in (self._pipe, self._handle):
                if handle is not None:
                    os.close(handle)
            self._pipe = self._handle = None
        if self._life is not None and not leave:
            self._life.join(_PATIENCE)

    def _tell(self, line: str) -> None:
        with self._lock, suppress(OSError):  # it may have been killed
            if self._pipe is not None:
                os.write(self._pipe, line.encode())


def end_abandoned(local_dir: str) -> None:
    """End what is left of runs that were killed together with their watcher.

    Until that is done, their files are held again, so that nothing starts beside them.
    """
    folder = watch_folder(local_dir)
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR)
            try:
                if files.try_hold(handle) and os.path.samestat(os.stat(path), os.fstat(handle)):
                    os.close(_spawn(name.partition("-")[2], path, handle)[1])
            finally:
                os.close(handle)


def _held(path: str) -> int:
    """The file `path`, made and held."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        files.hold(handle)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(handle)):
                return handle
        os.close(handle)  # taken for abandoned, and removed, before we held it


def _spawn(run_id: str, path: str, handle: int) -> tuple[threading.Thread, int]:
    """A thread that waits for the process, lest a zombie is left of it where we live on, and our
    end of its pipe, which no other process may get.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # a watcher that is stopped must not stop us
    argv = [sys.executable, "-I", "-S", _watcher.__file__, run_id, path]
    # It must not find itself, nor be found by the watcher of a run that we are a stage of.
    env = {name: value for name, value in os.environ.items() if name != "MLCTL_RUN_ID"}
    actions = [
        (os.POSIX_SPAWN_DUP2, reader, 0),
        (os.POSIX_SPAWN_DUP2, handle, 3),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    try:
        pid = os.posix_spawn(sys.executable, argv, env, file_actions=actions)
    except OSError:
        os.close(writer)
        raise
    finally:
        os.close(reader)
    life = threading.Thread(target=_wait_for, args=(pid,), name="watcher", daemon=True)
    life.start()
    return life, writer


def _wait_for(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
