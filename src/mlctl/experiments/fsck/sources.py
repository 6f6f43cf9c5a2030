"""The records as they lie there, whatever state they are in: of folders, packs and the branch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlctl.adapters.git import Blob, committed, contents
from mlctl.errors import ConfigError
from mlctl.experiments.shelves.folder import days, names_in
from mlctl.experiments.shelves.pack import is_pack, packs, read_lines
from mlctl.records.refs import RUNS
from mlctl.records.ulid import is_ulid

_TEXTS = (".json", ".jsonl")
_BRANCH = RUNS.removeprefix("refs/heads/")
_IN_RECORD = 4  # parts of `runs/<day>/<id>/<name>`


@dataclass(frozen=True, slots=True)
class RawRecord:
    """`place` is the folder, or the pack and its line; `files` are those of text, by name, and
    `names` all of them.
    """

    place: str
    run: str
    files: Mapping[str, bytes]
    names: frozenset[str]

    def file(self, name: str) -> str:
        """Where the file `name` is, for people."""
        return self.place if self.place.endswith(".jsonl") else f"{self.place}/{name}"

    def restore(self, name: str) -> str:
        """What brings the file `name` back."""
        if self.place.startswith(f"{_BRANCH}:"):
            return "`mlctl exp pull`, where another clone has it"
        return f"restore it from git: git checkout HEAD -- {self.file(name)}"


def raw_records(root: str) -> Iterator[RawRecord | ConfigError]:
    """Every record, and for each line of a pack that is none the error that says so."""
    for day in days(root):
        for name in sorted(names_in(os.path.join(root, "runs", day))):
            if is_ulid(name):
                yield _of_folder(root, f"runs/{day}/{name}", name)
    for pack in packs(root):
        with open(os.path.join(root, pack), "rb") as file:
            yield from _of_pack(pack, file)
    yield from _of_branch(root)


def strays(root: str) -> Iterator[str]:
    """Keys of what lies among the records and is none."""
    known = {*days(root), *(os.path.basename(pack) for pack in packs(root)), "_env", "events"}
    yield from (
        f"runs/{name}" for name in names_in(os.path.join(root, "runs")) if name not in known
    )
    for day in days(root):
        names = names_in(os.path.join(root, "runs", day))
        yield from (f"runs/{day}/{name}" for name in names if not is_ulid(name))


def environment_text(root: str, digest: str) -> bytes | None:
    """The text of an environment, from the work tree or the branch; None where there is none."""
    key = f"runs/_env/{digest}.txt"
    try:
        with open(os.path.join(root, key), "rb") as file:
            return file.read()
    except OSError:
        return next(iter(contents(_oids(root, key), root)), None)


def _oids(root: str, key: str) -> list[str]:
    return [blob.oid for blob in committed(root, RUNS) if blob.path == key]


def _of_folder(root: str, place: str, run_id: str) -> RawRecord:
    names, files = set(), {}
    top = os.path.join(root, place)
    for folder, _, found in os.walk(top):
        for each in found:
            path = os.path.join(folder, each)
            name = os.path.relpath(path, top)
            names.add(name)
            if name.endswith(_TEXTS):
                with open(path, "rb") as file:
                    files[name] = file.read()
    return RawRecord(place, run_id, files, frozenset(names))


def _of_branch(root: str) -> Iterator[RawRecord | ConfigError]:
    records: dict[tuple[str, str], dict[str, Blob]] = {}
    for blob in committed(root, RUNS):
        parts = blob.path.split("/", _IN_RECORD - 1)
        if len(parts) == _IN_RECORD and is_ulid(parts[2]):
            place = "/".join(parts[:3])
            records.setdefault((place, parts[2]), {})[parts[3]] = blob
        elif is_pack(parts[-1]):
            (data,) = contents([blob.oid], root)
            yield from _of_pack(f"{_BRANCH}:{blob.path}", data.splitlines(keepends=True))
    texts = [b.oid for files in records.values() for n, b in files.items() if n.endswith(_TEXTS)]
    data_of = dict(zip(texts, contents(texts, root), strict=True))
    for (place, run_id), blobs in records.items():
        files = {name: data_of[it.oid] for name, it in blobs.items() if name.endswith(_TEXTS)}
        yield RawRecord(f"{_BRANCH}:{place}", run_id, files, frozenset(blobs))


def _of_pack(name: str, lines: Iterable[bytes]) -> Iterator[RawRecord | ConfigError]:
    for line in read_lines(lines, name=name):
        if isinstance(line, ConfigError):
            yield line
        else:
            yield RawRecord(name, line.run_id, line.parts, frozenset(line.parts))
