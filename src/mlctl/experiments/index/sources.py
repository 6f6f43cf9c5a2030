"""What a changed source means for the index: a day of folders, a pack, the records' branch."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from functools import partial

from mlctl.adapters.git_objects import Entry
from mlctl.errors import ConfigError
from mlctl.experiments.index.entries import BRANCH, FOLDER, Writer
from mlctl.experiments.shelves import branch, folder, pack
from mlctl.records.run import run_folder
from mlctl.records.ulid import is_ulid

_AT_ONCE = 2000  # records of the branch whose heads are in memory


def update_day(
    connection: sqlite3.Connection, writer: Writer, root: str, day: str, now: folder.Day | None
) -> None:
    """Read what changed in a day's folder; `now` is None where the folder is gone."""
    known = dict(connection.execute("SELECT id, sign FROM folder WHERE day = ?", (day,)))
    signs = {} if now is None else now.signs
    writer.drop_place(f"day:{day}")  # its faults
    for run_id in known.keys() - signs.keys():
        writer.drop(run_id, FOLDER)
        writer.put_events(run_id, FOLDER, ())
        connection.execute("DELETE FROM folder WHERE id = ?", (run_id,))
    for run_id, sign in signs.items():
        if not is_ulid(run_id):
            continue
        if run_folder(run_id) != f"{folder.RUNS}/{day}/{run_id}":
            writer.fault(f"day:{day}", _misplaced(day, run_id))
        elif not sign or known.get(run_id) != sign:
            file = folder.file_sign(os.path.join(root, run_folder(run_id), folder.HEAD))
            _put_folder(writer, root, run_id)
            row = (run_id, day, sign, file)
            connection.execute("INSERT OR REPLACE INTO folder VALUES (?, ?, ?, ?)", row)


def update_pack(writer: Writer, root: str, key: str) -> None:
    """Read a pack of the work tree, or note that it is gone."""
    writer.drop_place(key)
    try:
        with open(os.path.join(root, key), "rb") as file:
            _put_pack(writer, key, key, file)
    except FileNotFoundError:
        return


def update_branch(writer: Writer, root: str, old: str | None, new: str | None) -> None:
    """Read what differs between two commits of the branch; None: there is no such branch."""
    files = {} if new is None else branch.files(root, new)
    changed = set(files) if old is None else branch.changes(root, old, files)
    runs = {run_id for key in changed if (run_id := _run_of(key))}
    for key in changed:
        if pack.is_pack(os.path.basename(key)):
            place = f"{BRANCH}:{key}"
            writer.drop_place(place)
            if key in files:
                (data,) = branch.read(root, [files[key]])
                _put_pack(writer, place, key, data.splitlines(keepends=True))
    ids = sorted(runs)
    of_run = _by_run(files, runs)
    for start in range(0, len(ids), _AT_ONCE):
        _put_branch(writer, root, {id_: of_run.get(id_, {}) for id_ in ids[start:][:_AT_ONCE]})


def _put_folder(writer: Writer, root: str, run_id: str) -> None:
    part = partial(folder.part, root, run_id)
    writer.put(run_id, FOLDER, part)
    read = ((n, part(f"{folder.EVENTS}/{n}")) for n in folder.event_names(root, run_id))
    events = [(name, data) for name, data in read if data is not None and name.endswith(".json")]
    writer.put_events(run_id, FOLDER, events)


def _put_pack(writer: Writer, place: str, key: str, lines: Iterable[bytes]) -> None:
    for found in pack.read_lines(lines, name=key):
        if isinstance(found, ConfigError):
            writer.fault(place, found)
            continue
        parts = found.parts
        writer.put(found.run_id, place, parts.get, at=found.at, length=found.length)
        events = [(os.path.basename(n), parts[n]) for n in parts if n.startswith("events/")]
        if events:
            writer.put_events(found.run_id, place, events)


def _put_branch(writer: Writer, root: str, runs: Mapping[str, Mapping[str, Entry]]) -> None:
    """Records of the branch, by their files' names; heads and events by one process."""
    asked = [
        (run_id, name)
        for run_id, files in runs.items()
        for name in files
        if name == folder.HEAD or name.startswith(f"{folder.EVENTS}/")
    ]
    read = branch.read(root, [runs[run_id][name] for run_id, name in asked])
    content = dict(zip(asked, read, strict=True))

    def part(run_id: str, name: str) -> bytes | None:
        if (run_id, name) in content:
            return content[run_id, name]
        entry = runs[run_id].get(name)
        return branch.read(root, [entry])[0] if entry else None

    for run_id, files in runs.items():
        writer.put(run_id, BRANCH, partial(part, run_id))
        names = [name for name in files if name.startswith(f"{folder.EVENTS}/")]
        events = [(os.path.basename(name), content[run_id, name]) for name in names]
        writer.put_events(run_id, BRANCH, events)


def _by_run(files: Mapping[str, Entry], runs: set[str]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for key, entry in files.items():
        run_id = _run_of(key)
        if run_id in runs:
            name = key.split("/", 3)[3]
            found.setdefault(run_id, {})[name] = entry
    return found


def _run_of(key: str) -> str:
    """The run whose record a file of the branch is of; empty for another file."""
    names = key.split("/", 3)
    ours = len(names) == 4 and names[0] == folder.RUNS and is_ulid(names[2])
    return names[2] if ours and run_folder(names[2]) == "/".join(names[:3]) else ""


def _misplaced(day: str, run_id: str) -> ConfigError:
    return ConfigError(
        "the folder of another day",
        file=f"{folder.RUNS}/{day}/{run_id}",
        hint=f"the record's place is {run_folder(run_id)}",
    )
