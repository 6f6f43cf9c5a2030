"""Folding old records into packs, one or more for a month.

A pack is on the disk, and read back, before a folder goes, so whoever is killed loses nothing: a
run that is in both counts once. Folders that came or changed meanwhile stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlctl.adapters.files import remove_file, sync_folder, try_hold, write_bytes
from mlctl.errors import Busy, ConfigError, NotAble
from mlctl.experiments.index.entries import check_id
from mlctl.experiments.shelves.folder import HEAD, RUNS, days, names_in, read_or_none
from mlctl.experiments.shelves.pack import (
    Packed,
    pack_bytes,
    pack_name,
    packs,
    parse_line,
    read_lines,
)
from mlctl.records.run import parse_head, run_folder
from mlctl.records.ulid import is_ulid, ulid_seconds
from mlctl.store.state import make_local_dir

FULL = 16_000_000  # bytes: a pack of so many is left as it is, and another one begun
_LOCK = "pack.lock"
Parts = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Packing:
    """What was done: `runs` that were folded, `made` and `removed` packs, `changed` keys (for git),
    and `damaged` records, which stay as they are.
    """

    runs: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


def pack_runs(root: str, before: float) -> Packing:
    """Fold the folders of runs that began before a time (seconds since 1970) into packs.

    Packs of the same months that are not full are made anew with them, as are those whose runs
    have later events. Raises Busy where another process packs.
    """
    local = os.path.join(root, ".mlctl")
    make_local_dir(local)
    handle = os.open(os.path.join(local, _LOCK), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not try_hold(handle):
            raise Busy("another process packs records", hint="try again when it is done")
        return _pack(root, before)
    finally:
        os.close(handle)


def _pack(root: str, before: float) -> Packing:
    months: dict[str, list[str]] = {}
    for run_id in _folders(root, before):
        months.setdefault(_month(run_id), []).append(run_id)
    done = [_pack_month(root, month, run_ids) for month, run_ids in sorted(months.items())]
    return Packing(*(tuple(x for it in done for x in getattr(it, name)) for name in _FIELDS))


_FIELDS = ("runs", "made", "removed", "changed", "damaged")


def _pack_month(root: str, month: str, run_ids: list[str]) -> Packing:
    old = [key for key in packs(root) if os.path.basename(key).startswith(f"{month}.")]
    open_packs = [key for key in old if os.path.getsize(os.path.join(root, key)) < FULL]
    records: dict[str, dict[str, bytes]] = {}
    for key in open_packs:
        for found in _read(root, key):
            records[found.run_id] = {**found.parts, **records.get(found.run_id, {})}
    elsewhere = {it.run_id for key in old if key not in open_packs for it in _read(root, key)}
    folded, damaged = [], []
    for run_id in run_ids:
        parts = _files(os.path.join(root, run_folder(run_id)))
        if HEAD not in parts and run_id not in records:
            continue  # events of a run that is in a full pack, or in no record
        if HEAD in parts and (said := _damage(run_id, parts)):
            damaged.append(said)
            continue
        if HEAD in parts or run_id not in elsewhere:
            records[run_id] = {**records.get(run_id, {}), **parts}
            folded.append((run_id, parts))
    if not folded:
        return Packing(damaged=tuple(damaged))
    made = _write(root, month, records)
    gone = [key for key in open_packs if key not in made]
    for run_id, parts in folded:
        _remove_folder(root, run_id, parts)
    for key in gone:
        remove_file(os.path.join(root, key))
    changed_days = sorted({os.path.dirname(run_folder(run_id)) for run_id, _ in folded})
    runs = tuple(run_id for run_id, _ in folded)
    changed = (*made, *gone, *changed_days)
    return Packing(runs, tuple(made), tuple(gone), changed, tuple(damaged))


def _folders(root: str, before: float) -> Iterator[str]:
    for day in days(root):
        for run_id in sorted(names_in(os.path.join(root, RUNS, day))):
            ours = is_ulid(run_id) and run_folder(run_id) == f"{RUNS}/{day}/{run_id}"
            if ours and ulid_seconds(run_id) < before:
                yield run_id


def _month(run_id: str) -> str:
    return run_folder(run_id).split("/")[1][:6]


def _read(root: str, key: str) -> Iterator[Packed]:
    """The records of a pack, which must be whole. Raises ConfigError."""
    with open(os.path.join(root, key), "rb") as file:
        for found in read_lines(file, name=key):
            if isinstance(found, ConfigError):
                raise found
            yield found


def _files(folder: str) -> dict[str, bytes]:
    """All files of a folder, by their names in it."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def _damage(run_id: str, parts: Parts) -> str | None:
    """Why a record cannot be packed."""
    file = f"{run_folder(run_id)}/{HEAD}"
    try:
        check_id(parse_head(parts[HEAD].decode("utf-8", "replace"), name=file), run_id, file)
    except ConfigError as error:
        return str(error)
    return None


def _write(root: str, month: str, records: Mapping[str, Parts]) -> list[str]:
    """Write packs of a month with these records, each no larger than `FULL` and a record."""
    made = []
    for chunk in _chunks(records):
        data = pack_bytes(chunk)
        key = f"{RUNS}/{pack_name(month, data)}"
        path = os.path.join(root, key)
        write_bytes(path, data)
        _verify(path, key, chunk)
        made.append(key)
    sync_folder(os.path.join(root, RUNS))
    return made


def _chunks(records: Mapping[str, Parts]) -> Iterator[dict[str, Parts]]:
    chunk: dict[str, Parts] = {}
    size = 0
    for run_id in sorted(records):
        if size >= FULL:
            yield chunk
            chunk, size = {}, 0
        chunk[run_id] = records[run_id]
        size += sum(map(len, records[run_id].values()))
    if chunk:
        yield chunk


def _verify(path: str, key: str, records: Mapping[str, Parts]) -> None:
    """Raise NotAble where the pack does not say what it should."""
    with open(path, "rb") as file:
        read = dict(parse_line(line, name=key) for line in file)
    for run_id, parts in records.items():
        kept = read.get(run_id, {})
        if any(kept.get(name) != data for name, data in parts.items() if name != HEAD):
            raise NotAble(f"{key} is not what was written to it: the disk may be failing")


def _remove_folder(root: str, run_id: str, packed: Parts) -> None:
    """Remove a record's files as they were packed; what came or changed since then stays.

    The head goes first: what is left of a folder without one belongs to the record in the pack.
    """
    folder = os.path.join(root, run_folder(run_id))
    for name in sorted(packed, key=lambda name: (name != HEAD, name)):
        path = os.path.join(folder, name)
        if read_or_none(path) == packed[name]:
            remove_file(path)
        elif name == HEAD:
            return
    for top, _, _ in os.walk(folder, topdown=False):
        _remove_empty(top)
    _remove_empty(os.path.dirname(folder))


def _remove_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:  # something else is in it
        return
