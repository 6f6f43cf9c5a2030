"""The file of the index: `mlctl/index.<root>.db` in the git folder, or `.mlctl/index.db`.

It is a cache and nothing else. A damaged or foreign file is made anew; where none can be written
(a read-only checkout, a full disk) the index is made in memory, for this once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from mlctl.experiments.shelves.branch import git_folder
from mlctl.experiments.shelves.folder import RUNS
from mlctl.store.state import make_local_dir

_VERSION = 1
_SCHEMA = """
CREATE TABLE source (key TEXT PRIMARY KEY, state TEXT) WITHOUT ROWID;
CREATE TABLE folder (id TEXT PRIMARY KEY, day TEXT, sign TEXT, file TEXT) WITHOUT ROWID;
CREATE INDEX of_day ON folder (day);
CREATE TABLE run (
    number INTEGER PRIMARY KEY, id TEXT, place TEXT, rank INTEGER, at INTEGER, length INTEGER,
    first INTEGER DEFAULT 0, head TEXT, status TEXT, started REAL, seconds REAL, begun TEXT,
    branch TEXT, "commit" TEXT, dirty INTEGER, ran TEXT, failed TEXT, file TEXT, problem TEXT,
    hint TEXT, UNIQUE (id, place));
CREATE INDEX newest ON run (id) WHERE first AND head IS NOT NULL;
CREATE INDEX of_place ON run (place);
CREATE INDEX damaged ON run (id) WHERE problem IS NOT NULL;
CREATE TABLE name (number INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE value (
    name INTEGER, run INTEGER, number REAL, text TEXT, PRIMARY KEY (name, run)) WITHOUT ROWID;
CREATE INDEX of_run ON value (run);
CREATE TABLE event (
    run TEXT, id TEXT, place TEXT, kind TEXT, value TEXT, time TEXT,
    PRIMARY KEY (run, id, place)) WITHOUT ROWID;
CREATE INDEX event_place ON event (place);
CREATE TABLE facts (
    id TEXT PRIMARY KEY, name TEXT, tags TEXT, notes TEXT, archived INTEGER, kept INTEGER
    ) WITHOUT ROWID;
CREATE TABLE fault (place TEXT, run TEXT, file TEXT, problem TEXT, hint TEXT);
"""
_MEMORY = ":memory:"
_PATIENCE = 20.0  # seconds that another process may take to write
T = TypeVar("T")


def with_index(root: str, action: Callable[[sqlite3.Connection], T]) -> T:
    """What `action` does with the index of the project at `root`."""
    path = _path(root)
    for _ in range(2):
        try:
            with contextlib.closing(_open(path)) as connection:
                return action(connection)
        except (sqlite3.OperationalError, OSError):  # read-only, locked, disk full: do without
            break
        except sqlite3.DatabaseError:  # damaged, or of another version
            _remove(path)
    with contextlib.closing(_connect(_MEMORY)) as connection:
        return action(connection)


def _path(root: str) -> str:
    common = git_folder(root)
    if common is None:
        there = os.path.isdir(os.path.join(root, RUNS))
        return os.path.join(root, ".mlctl", "index.db") if there else _MEMORY
    key = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:8]
    return os.path.join(common, "mlctl", f"index.{key}.db")


def _open(path: str) -> sqlite3.Connection:
    if path == _MEMORY:
        return _connect(path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        if os.path.basename(folder) == ".mlctl":
            make_local_dir(folder)
        else:
            os.makedirs(folder, exist_ok=True)
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise PermissionError(path)
    return _connect(path)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.create_function("REGEXP", 2, _matches, deterministic=True)
        _prepare(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # what a power cut damages is made anew
    if _version(connection) == _VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)  # another process may have made the tables meanwhile
    if version == 0:
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")
    if version not in (0, _VERSION):
        raise sqlite3.DatabaseError("written by another version")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _matches(pattern: str, value: str | float | None) -> bool:
    return value is not None and re.search(pattern, str(value)) is not None


def _remove(path: str) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            os.unlink(path + suffix)
