"""DVC's run-cache: what a command made of its inputs, by their digest.

An entry is one stage of `dvc.lock` as YAML data, in the file `<cache>/runs/<k[:2]>/<k>/<v>`:
`k` is the digest of the entry with its outs reduced to their paths, `v` of the whole entry, both
without sizes and counts (dvc/stage/cache.py).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from mlctl.adapters import files, yaml
from mlctl.errors import ConfigError
from mlctl.store.links import replacing

Entry = Mapping[str, Any]


def key(entry: Entry) -> str:
    """The digest of what goes in: command, deps, params, and the paths of the outs."""
    return _digest(_incoming(_without_counts(entry)))


def value(entry: Entry) -> str:
    """The digest of the whole entry."""
    return _digest(_without_counts(entry))


def _digest(data: Entry) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _incoming(entry: Entry) -> Entry:
    return {**entry, "outs": [out["path"] for out in entry.get("outs", [])]}


def _without_counts(data: Any) -> Any:
    if isinstance(data, str):  # most of it
        return data
    if isinstance(data, (dict, Mapping)):
        return {k: _without_counts(v) for k, v in data.items() if k not in ("size", "nfiles")}
    if isinstance(data, (list, tuple)):
        return [_without_counts(item) for item in data]
    return data


def folder(cache_dir: str, key: str) -> str:
    """Where the entries of `key` lie."""
    return os.path.join(cache_dir, "runs", key[:2], key)


def entries(cache_dir: str) -> Iterator[str]:
    """The path of every entry, and of whatever else lies in an entry's place."""
    top = os.path.join(cache_dir, "runs")
    for folder, _, names in os.walk(top):
        if os.path.relpath(folder, top).count(os.sep) == 1:
            yield from (os.path.join(folder, n) for n in sorted(names) if not n.endswith(".tmp"))


def lookup(cache_dir: str, key: str, check: Callable[[Any], None]) -> dict[str, Any] | None:
    """The newest entry of `key`, or None. As DVC does, a corrupt one is removed and not replaced
    by an older one; `check` raises ConfigError for data that is no entry.
    """
    place = folder(cache_dir, key)
    try:
        names = os.listdir(place)
        newest = max(names, key=lambda name: os.path.getmtime(os.path.join(place, name)))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return _read(os.path.join(place, newest), check)


def _read(path: str, check: Callable[[Any], None]) -> dict[str, Any] | None:
    try:
        entry = yaml.load(files.read_text(path), name=path)
        check(entry)
    except FileNotFoundError:
        return None
    except ConfigError:
        with suppress(FileNotFoundError):
            os.unlink(path)
        return None
    return dict(entry)


def save(cache_dir: str, entry: Entry, text: str, check: Callable[[Any], None]) -> None:
    """Keep `entry`, whose YAML is `text`, unless it is there already.

    It is not synced: an entry that a power cut spoils is removed when it is looked up.
    """
    data = _without_counts(entry)
    place = folder(cache_dir, _digest(_incoming(data)))
    path = os.path.join(place, _digest(data))
    if _read(path, check) is None:
        os.makedirs(place, exist_ok=True)
        with replacing(path) as temporary, open(temporary, "x", encoding="utf-8") as file:
            file.write(text)
