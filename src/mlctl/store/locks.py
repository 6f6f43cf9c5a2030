"""DVC's two locks, so that `dvc` and mlctl never work against each other.

`.dvc/tmp/lock` is held for short critical sections: a file under flock (as zc.lockfile takes it),
or, with `core.hardlink_lock`, a hard link (as flufl.lock makes it, for NFS without flock).
`.dvc/tmp/rwlock` says for as long as a stage runs which paths it reads and writes, as JSON:
`{"write": {path: {"pid", "cmd"}}, "read": {path: [{"pid", "cmd"}]}}`, edited under `rwlock.lock`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from mlctl.adapters.files import write_text
from mlctl.errors import Busy, InvalidInput
from mlctl.store.alive import is_alive, is_at_work
from mlctl.store.config import Config

DVC_PATIENCE = 3.0  # seconds that DVC itself waits for a lock
_LIFETIME = 365 * 24 * 3600  # DVC's: a hard-link lock is never taken for expired

Holder = dict[str, Any]  # {"pid": int, "cmd": str}
Table = dict[str, dict[str, Any]]


@contextmanager
def repo_lock(config: Config, *, wait: float | None = DVC_PATIENCE) -> Iterator[None]:
    """Hold `.dvc/tmp/lock`, waiting up to `wait` seconds, or for ever with None. Raises Busy."""
    with _held(config, "lock", wait):
        yield


@contextmanager
def claimed(config: Config, cmd: str, paths: Sequence[str]) -> Iterator[None]:
    """Hold the repository, and absolute `paths` against stages that read or write them.

    Others are told that `cmd` works on them. Raises Busy.
    """
    locks = PathLocks(config, cmd)
    with repo_lock(config):
        locks.publish([], paths)
        try:
            yield
        finally:
            locks.withdraw([], paths)


class PathLocks:
    """This process's entries in DVC's rwlock, for all the stages that it runs at once.

    Two of our stages may read one path: an entry goes when the last of them is withdrawn.
    """

    def __init__(self, config: Config, cmd: str) -> None:
        self._config = config
        self._me: Holder = {"pid": os.getpid(), "cmd": cmd}
        self._path = os.path.join(config.tmp_dir, "rwlock")
        self._lock = threading.Lock()  # the counts and the table change together
        self._reads: Counter[str] = Counter()
        self._writes: Counter[str] = Counter()
        self._pruned = False

    def publish(self, read: Sequence[str], write: Sequence[str], *, wait: float = 0) -> None:
        """Announce absolute paths that we read and write, all of them or none.

        Raises Busy, naming the process, where another one works on one of them (or on a folder
        that holds it, or that it holds). Entries of processes that are dead are deleted.
        """
        deadline = time.monotonic() + wait
        while True:
            try:
                with self._lock:
                    self._publish(read, write)
            except Busy:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def withdraw(self, read: Sequence[str], write: Sequence[str]) -> None:
        """Take back what `publish` announced, with the same paths."""
        with self._lock:
            self._withdraw(read, write)

    def _withdraw(self, read: Sequence[str], write: Sequence[str]) -> None:
        self._reads.subtract(read)
        self._writes.subtract(write)
        gone_reads = [path for path in read if self._reads[path] <= 0]
        gone_writes = [path for path in write if self._writes[path] <= 0]
        if not gone_reads and not gone_writes:
            return
        with self._editing() as table:
            for path in gone_reads:
                _drop_reader(table, path, self._me)
            for path in gone_writes:
                if table["write"].get(path) == self._me:
                    del table["write"][path]

    def _publish(self, read: Sequence[str], write: Sequence[str]) -> None:
        with self._editing() as table:
            if not self._pruned:
                self._prune(table)
                self._pruned = True
            writers = [(path, holder) for path, holder in table["write"].items()]
            readers = [(p, holder) for p, holders in table["read"].items() for holder in holders]
            self._check(table, writers, [*read, *write])
            self._check(table, readers, write)
            for path in read:
                holders = table["read"].setdefault(path, [])
                if self._me not in holders:
                    holders.append(self._me)
            for path in write:
                table["write"][path] = self._me
        self._reads.update(read)
        self._writes.update(write)

    def _check(
        self, table: Table, taken: Iterable[tuple[str, Holder]], wanted: Sequence[str]
    ) -> None:
        prefixes = _Prefixes(wanted)
        for path, holder in taken:
            if holder["pid"] == self._me["pid"] or not prefixes.overlap(path):
                continue
            if not is_at_work(self._config, holder["pid"]):
                _drop_reader(table, path, holder)
                if table["write"].get(path) == holder:
                    del table["write"][path]
                continue
            left = "" if is_alive(holder["pid"]) else "what is left of "
            raise Busy(
                f"{path} is in use by {left}process {holder['pid']} ({holder['cmd']})",
                hint="wait until it is done; if no such process exists, delete .dvc/tmp/rwlock",
            )

    def _prune(self, table: Table) -> None:
        """Delete what dead processes left, or the readers of a path that nobody writes pile up.

        What has our own number is of an earlier run, here or in a dead process: it was left where
        the disk was full.
        """
        holders = [*table["write"].values(), *(h for hs in table["read"].values() for h in hs)]
        pids = {holder["pid"] for holder in holders}
        work = {p: p != self._me["pid"] and is_at_work(self._config, p) for p in pids}
        table["write"] = {p: h for p, h in table["write"].items() if work[h["pid"]]}
        reads = {p: [h for h in hs if work[h["pid"]]] for p, hs in table["read"].items()}
        table["read"] = {path: hs for path, hs in reads.items() if hs}

    @contextmanager
    def _editing(self) -> Iterator[Table]:
        with _held(self._config, "rwlock.lock", DVC_PATIENCE):
            table = self._read()
            before = json.dumps(table)
            try:
                yield table
            finally:
                after = json.dumps(table)
                if after != before:
                    write_text(self._path, after, durable=False)

    def _read(self) -> Table:
        try:
            with open(self._path, encoding="utf-8") as file:
                raw = json.load(file)
            table: Table = {"write": dict(raw.get("write", {})), "read": dict(raw.get("read", {}))}
            holders = [*table["write"].values(), *(h for hs in table["read"].values() for h in hs)]
            if all(isinstance(h["pid"], int) and isinstance(h["cmd"], str) for h in holders):
                return table
        except FileNotFoundError:
            return {"write": {}, "read": {}}
        except (ValueError, AttributeError, TypeError, KeyError):
            pass
        if os.stat(self._path).st_mtime < _boot_time():  # torn by a power cut, which ended all
            return {"write": {}, "read": {}}
        raise InvalidInput(
            f"{self._path}: is damaged", hint="delete it if neither dvc nor mlctl is running"
        )


class _Prefixes:
    """Whether a path equals one of many, holds one, or lies in one, each in one look-up."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = {path.rstrip("/") or "/" for path in paths}
        self._folders = {folder for path in self._paths for folder in _folders_of(path)}

    def overlap(self, path: str) -> bool:
        path = path.rstrip("/") or "/"
        if path in self._paths or path in self._folders:
            return True
        return any(folder in self._paths for folder in _folders_of(path))


@lru_cache(maxsize=16_384)
def _folders_of(path: str) -> tuple[str, ...]:
    found = []
    while (parent := os.path.dirname(path)) != path:
        found.append(parent)
        path = parent
    return tuple(found)


def _drop_reader(table: Table, path: str, holder: Holder) -> None:
    holders = table["read"].get(path, [])
    if holder in holders:
        holders.remove(holder)
        if not holders:
            del table["read"][path]


def _boot_time() -> float:
    up = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    return time.time() - up


@contextmanager
def _held(config: Config, name: str, wait: float | None) -> Iterator[None]:
    os.makedirs(config.tmp_dir, exist_ok=True)
    path = os.path.join(config.tmp_dir, name)
    how = _hard_link if config.hardlink_lock else _flock
    with how(path, None if wait is None else time.monotonic() + wait):
        yield


@contextmanager
def _flock(path: str, deadline: float | None) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        pause = 0.005
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pause = _pause(path, pause, deadline)
        os.ftruncate(handle, 0)
        os.write(handle, f" {os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


@contextmanager
def _hard_link(path: str, deadline: float | None) -> Iterator[None]:
    """A lock is a second name of a claim: making that name is atomic on every file system."""
    import socket  # slow to import, and seldom needed

    claim = f"{path}|{socket.gethostname()}|{os.getpid()}|{os.urandom(8).hex()}"
    name = hashlib.md5(claim.encode(), usedforsecurity=False).hexdigest() + ".lock"
    claim_path = os.path.join(os.path.dirname(path), name)
    with open(claim_path, "w", encoding="utf-8") as file:
        file.write(claim_path)
    try:
        expires = time.time() + _LIFETIME
        os.utime(claim_path, (expires, expires))
        pause = 0.005
        while not _claim(claim_path, path):
            pause = _pause(path, pause, deadline)
        try:
            yield
        finally:
            os.unlink(path)
    finally:
        os.unlink(claim_path)


def _claim(claim_path: str, path: str) -> bool:
    try:
        os.link(claim_path, path)
    except FileExistsError:
        # NFS may lose the answer to a link that was made: two names of our claim mean success.
        return os.stat(claim_path).st_nlink == 2
    return True


def _pause(path: str, pause: float, deadline: float | None) -> float:
    """Sleep a little; the next, longer pause. Raises Busy, with the holder, after the deadline."""
    if deadline is not None and time.monotonic() >= deadline:
        text = ""
        with suppress(OSError), open(path, encoding="utf-8") as file:
            text = file.read(100).strip()
        holder = f" by process {text}" if text.isdigit() else ""
        raise Busy(
            f"the repository is locked{holder}: another dvc or mlctl is at work ({path})",
            hint="wait until it is done",
        )
    time.sleep(pause)
    return min(pause * 2, 0.1)
