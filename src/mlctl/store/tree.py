"""`.dir` objects: the listing of a folder, in the bytes that DVC writes.

Format: a JSON list of `{"md5": …, "relpath": …}` sorted by `relpath` (by code points), with the
default separators of Python's `json` and ASCII escapes. Its id is the MD5 of these bytes + `.dir`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from mlctl.errors import InvalidInput

SUFFIX = ".dir"


class TreeEntry(NamedTuple):
    """One file of a folder: its POSIX path in the folder and its object."""

    relpath: str
    md5: str


def tree_bytes(files: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of the `.dir` object that lists `(relpath, md5)` pairs, in any order."""
    parts = [
        f'{{"md5": "{md5}", "relpath": {encode_basestring_ascii(relpath)}}}'
        for relpath, md5 in sorted(files)
    ]
    return f"[{', '.join(parts)}]".encode("ascii")


def tree_id(data: bytes) -> str:
    """The object id of a listing."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest() + SUFFIX


def parse_tree(data: bytes, name: str) -> tuple[TreeEntry, ...]:
    """The entries of a `.dir` object, in its order.

    Raises InvalidInput (with `name`) for what is no listing, and for a path that would leave the
    folder: an object comes from a remote that others can write.
    """
    try:
        raw = json.loads(data)
        entries = tuple(TreeEntry(item["relpath"], item["md5"]) for item in raw)
    except (ValueError, TypeError, KeyError):
        raise InvalidInput(f"{name}: not a listing of a folder") from None
    for entry in entries:
        if not isinstance(entry.relpath, str) or not isinstance(entry.md5, str):
            raise InvalidInput(f"{name}: not a listing of a folder")
        parts = entry.relpath.split("/")
        if "" in parts or "." in parts or ".." in parts or "\0" in entry.relpath:
            raise InvalidInput(f"{name}: lists the unsafe path {entry.relpath!r}")
        if len(entry.md5) != 32 or not entry.md5.isalnum():
            raise InvalidInput(f"{name}: lists {entry.relpath!r} without an MD5")
    return entries
