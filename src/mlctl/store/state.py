"""What is known of files already hashed: one SQLite file, `.mlctl/state.db`.

It is a cache and nothing else: a missing, foreign or damaged file is made anew, and a locked or
read-only one is done without.

An entry holds for a file with the same modification time, change time, size and inode. That is
safe only if no later write can leave all four as they are. A file written twice within one tick of
the file system's clock can (the tick is up to 10 ms on Linux, 1 to 2 s on old file systems), so an
entry is kept only where the file was already older than `MARGIN` when its reading began: any write
after that moment gets a later time. Files younger than that are simply hashed again next time. The
change time cannot be set by programs, so `touch -r` and `cp -p` hide nothing. The clock of a file
server must not lag behind ours by more than the margin.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

INODE = 0x7FFF_FFFF_FFFF_FFFF  # the bits of an inode's number that count: SQLite's 64 have a sign
MARGIN = 20_000_000  # nanoseconds: twice the longest tick of Linux
COARSE_MARGIN = 3_000_000_000  # for file systems that keep whole seconds
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path BLOB, legacy INTEGER, mtime INTEGER, ctime INTEGER, size INTEGER, inode INTEGER, md5 TEXT,
    PRIMARY KEY (path, legacy)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folders (
    path BLOB, legacy INTEGER, signature BLOB, md5 TEXT, size INTEGER, nfiles INTEGER, listing TEXT,
    PRIMARY KEY (path, legacy));
CREATE TABLE IF NOT EXISTS complete (
    tree TEXT PRIMARY KEY, signature BLOB) WITHOUT ROWID;
"""
T = TypeVar("T")


class Signature(NamedTuple):
    """What tells one state of a file from another."""

    mtime: int
    ctime: int
    size: int
    inode: int


class Folder(NamedTuple):
    """A folder's whole result; `signature` is None where some file was too young to be trusted.

    `listing` holds `[relpath, md5, mtime, ctime, size, inode]` per file, as JSON.
    """

    signature: bytes | None
    md5: str
    size: int
    nfiles: int
    listing: str


def signature(status: os.stat_result) -> Signature:
    """The signature of a file's stat."""
    inode = status.st_ino & INODE
    return Signature(status.st_mtime_ns, status.st_ctime_ns, status.st_size, inode)


def is_settled(sign: Signature, began: int) -> bool:
    """Whether a file that was read from `began` on (ns since 1970) may be remembered."""
    newest = max(sign.mtime, sign.ctime)
    coarse = not (sign.mtime % 1_000_000_000 or sign.ctime % 1_000_000_000)
    return newest < began - (COARSE_MARGIN if coarse else MARGIN)


class State:
    """The database of one work tree; threads and processes may share it."""

    def __init__(self, local_dir: str) -> None:
        self._folder = local_dir
        self._path = os.path.join(local_dir, "state.db")
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def get(self, path: str, sign: Signature, *, legacy: bool = False) -> str | None:
        """The hash of the file at `path` (absolute), if it is as it was when it was hashed."""
        last = self.last(path, legacy=legacy)
        return last[1] if last is not None and last[0] == sign else None

    def last(self, path: str, *, legacy: bool = False) -> tuple[Signature, str] | None:
        """Signature and hash of the file when it was last hashed, whatever it is now."""
        row = self._read(
            "SELECT mtime, ctime, size, inode, md5 FROM files WHERE path = ? AND legacy = ?",
            (os.fsencode(path), legacy),
        )
        return (Signature(*row[:4]), str(row[4])) if row else None

    def put_many(
        self, items: Iterable[tuple[str, Signature, str]], *, began: int, legacy: bool = False
    ) -> None:
        """Remember `(path, signature, md5)`, without those not settled when reading began."""
        rows = [
            (os.fsencode(path), legacy, *sign, md5)
            for path, sign, md5 in items
            if is_settled(sign, began)
        ]
        if rows:
            self._write("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def get_folder(
        self, path: str, sign: bytes, *, legacy: bool = False
    ) -> tuple[str, int, int] | None:
        """Digest, size and number of files of a folder whose every file is as it was."""
        row = self._read(
            "SELECT md5, size, nfiles FROM folders WHERE path = ? AND legacy = ? AND signature = ?",
            (os.fsencode(path), legacy, sign),
        )
        return (str(row[0]), int(row[1]), int(row[2])) if row else None

    def get_listing(self, path: str, *, legacy: bool = False) -> dict[str, tuple[Signature, str]]:
        """What was known of the folder's files: relpath -> (signature, md5)."""
        row = self._read(
            "SELECT listing FROM folders WHERE path = ? AND legacy = ?",
            (os.fsencode(path), legacy),
        )
        try:
            return {r[0]: (Signature(*r[2:]), r[1]) for r in json.loads(row[0])} if row else {}
        except (ValueError, TypeError, IndexError):
            return {}

    def put_folder(self, path: str, folder: Folder, *, legacy: bool = False) -> None:
        """Remember a folder's result."""
        self._write(
            "INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(os.fsencode(path), legacy, *folder)],
        )

    def get_complete(self, tree: str) -> bytes | None:
        """The signature of the cache in which all files of `tree` were last found."""
        row = self._read("SELECT signature FROM complete WHERE tree = ?", (tree,))
        return bytes(row[0]) if row else None

    def put_complete(self, tree: str, sign: bytes) -> None:
        """Remember that all files of `tree` are in the cache that has this signature."""
        self._write("INSERT OR REPLACE INTO complete VALUES (?, ?)", [(tree, sign)])

    def close(self) -> None:
        """Close the database; it opens again when it is asked."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _read(self, sql: str, values: Sequence[object]) -> tuple[Any, ...] | None:
        def ask(connection: sqlite3.Connection) -> tuple[Any, ...] | None:
            row: tuple[Any, ...] | None = connection.execute(sql, tuple(values)).fetchone()
            return row

        return self._try(ask)

    def _write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        def tell(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany(sql, rows)

        self._try(tell)

    def _try(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do `action`, again on a new file where this one is damaged; None where it cannot be."""
        with self._lock:
            for again in (True, False):
                try:
                    return action(self._open())
                except sqlite3.OperationalError:  # locked, read-only, disk full: do without
                    return None
                except sqlite3.DatabaseError:
                    if not again:
                        return None
                    self._start_anew()
        return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            with contextlib.suppress(OSError):
                make_local_dir(self._folder)
            self._connection = self._connect_patiently()
        return self._connection

    def _connect_patiently(self) -> sqlite3.Connection:
        """Where two processes make the file at once, SQLite refuses without waiting."""
        for _ in range(5):
            try:
                return self._connect(self._path)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    break
                time.sleep(0.02)
        return self._connect(":memory:")

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
        try:
            _prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _start_anew(self) -> None:
        self.close()
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(self._path + suffix)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != _VERSION:
        if version:
            raise sqlite3.DatabaseError("written by another version")
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def make_local_dir(folder: str) -> None:
    """Make `.mlctl` with a `.gitignore` of `*` in it, so that git sees nothing of it."""
    marker = os.path.join(folder, ".gitignore")
    if not os.path.exists(marker):
        os.makedirs(folder, exist_ok=True)
        with contextlib.suppress(FileExistsError), open(marker, "x", encoding="utf-8") as file:
            file.write("*\n")
