"""The records as they lie there, whatever state they are in: of folders, packs and the branch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlctl.adapters.git import Blob, committed, contents
from mlctl.errors import ConfigError
from mlctl.experiments.shelves.folder import days, names_in
from mlctl.experiments.shelves.pack import packs, read_lines
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
            for line in read_lines(file, name=pack):
                if isinstance(line, ConfigError):
                    yield line
                else:
                    yield RawRecord(pack, line.run_id, line.parts, frozenset(line.parts))
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


def _of_branch(root: str) -> Iterator[RawRecord]:
    records: dict[tuple[str, str], dict[str, Blob]] = {}
    for blob in committed(root, RUNS):
        parts = blob.path.split("/", _IN_RECORD - 1)
        if len(parts) == _IN_RECORD and is_ulid(parts[2]):
            place = "/".join(parts[:3])
            records.setdefault((place, parts[2]), {})[parts[3]] = blob
    for (place, run_id), blobs in records.items():
        texts = {name: blob.oid for name, blob in blobs.items() if name.endswith(_TEXTS)}
        files = dict(zip(texts, contents(list(texts.values()), root), strict=True))
        yield RawRecord(f"{_BRANCH}:{place}", run_id, files, frozenset(blobs))
