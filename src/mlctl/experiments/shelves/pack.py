"""Packs: the records of a month in one file, `runs/<yyyymm>.<8 of its sha256>.jsonl`.

A line is a whole record. The name has the digest, so two branches that pack the same month make
two files, which merge; a run that is in both counts once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.errors import ConfigError
from mlctl.experiments.shelves.folder import HEAD, RUNS, names_in
from mlctl.records.canonical import line, pretty
from mlctl.records.schema import load_record
from mlctl.records.ulid import is_ulid

KIND, VERSION = "run-pack", 1
SCHEMA = f"mlctl.{KIND}/{VERSION}"
_NAME = re.compile(r"[0-9]{6}\.[0-9a-f]{8}\.jsonl")


@dataclass(frozen=True, slots=True)
class Packed:
    """A record of a pack: its files by name, and where its line stands."""

    run_id: str
    parts: Mapping[str, bytes]
    at: int
    length: int


def packs(root: str) -> list[str]:
    """The keys of the packs, in order."""
    return [f"{RUNS}/{n}" for n in sorted(names_in(os.path.join(root, RUNS))) if is_pack(n)]


def is_pack(name: str) -> bool:
    """Whether a file of `runs/` is called as packs are."""
    return _NAME.fullmatch(name) is not None


def pack_name(month: str, data: bytes) -> str:
    """The name of the pack of a month (`yyyymm`)."""
    return f"{month}.{hashlib.sha256(data).hexdigest()[:8]}.jsonl"


def pack_bytes(records: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """A pack of records, which are files by name, by run."""
    return b"".join(_line(run_id, records[run_id]) for run_id in sorted(records))


def read_lines(lines: Iterable[bytes], *, name: str) -> Iterator[Packed | ConfigError]:
    """The records of a pack, and for each line that is none the error that says so."""
    at = 0
    for number, text in enumerate(lines, start=1):
        try:
            run_id, parts = parse_line(text, name=name, number=number)
            yield Packed(run_id, parts, at, len(text))
        except ConfigError as error:
            yield error
        at += len(text)


def parse_line(
    text: bytes, *, name: str, number: int | None = None
) -> tuple[str, dict[str, bytes]]:
    """The id and the files of a line. Raises ConfigError that names the pack, and the line."""
    hint = f"restore it from git: git checkout HEAD -- {name}"
    try:
        data = load_record(text.decode(), kind=KIND, newest=VERSION, name=name)
        run_id = _run_id(data)
        parts = {file: _content(value) for file, value in data["parts"].items()}
        return run_id, {HEAD: pretty(data["head"]).encode(), **parts}
    except ConfigError as error:
        raise ConfigError(error.message, file=name, line=number, hint=error.hint) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"not a record in a pack: {type(error).__name__}: {error}"
        raise ConfigError(said, file=name, line=number, hint=hint) from None


def _run_id(data: Mapping[str, Any]) -> str:
    if not is_ulid(data["id"]):
        raise ValueError(f"no id of a run: {data['id']!r}")
    return str(data["id"])


def _line(run_id: str, parts: Mapping[str, bytes]) -> bytes:
    others = {name: _text(data) for name, data in parts.items() if name != HEAD}
    head: Any = json.loads(parts[HEAD])
    return line({"schema": SCHEMA, "id": run_id, "head": head, "parts": others}).encode()


def _text(data: bytes) -> Any:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _content(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
