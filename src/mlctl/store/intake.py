"""Small files hashed and put into the cache in one pass; `slices` shares them out to processes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import NamedTuple

from mlctl.store.links import replacing
from mlctl.store.slices import share_out
from mlctl.store.state import Signature, signature

LARGEST = 256 * 1024  # bytes of a file that is small


class File(NamedTuple):
    """A file to take in, of `LARGEST` at most, as it was seen."""

    path: str
    signature: Signature


class Taken(NamedTuple):
    """What a file is in the cache; `is_new` where its object was made by the intake."""

    md5: str
    is_new: bool


def take_in(files: Sequence[File], folder: str) -> list[Taken | None]:
    """Hash the files and put them into the cache at `folder`.

    None for a file that is no longer as it was seen, or could not be taken in: the caller hashes
    it, and commits it, by itself. New objects are not synced, and so not marked as trusted.
    """
    answers = share_out(__name__, files, folder)
    return [None if answer is None else Taken(*answer) for answer in answers]


def work(item: tuple[str, Sequence[int]], folder: str) -> Taken | None:
    """Take one file in: its path, and its signature."""
    path, seen = item[0], Signature(*item[1])
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(handle, seen.size + 1)
        if signature(os.fstat(handle)) != seen or len(data) != seen.size:
            return None
    finally:
        os.close(handle)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    target = f"{folder}/{md5[:2]}/{md5[2:]}"
    if os.access(target, os.F_OK):  # whether it is sound is asked when it is needed
        return Taken(md5, False)
    try:
        _write(data, target)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write(data, target)
    return Taken(md5, True)


def _write(data: bytes, target: str) -> None:
    with replacing(target) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
