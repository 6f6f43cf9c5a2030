"""Paths as stages write them, and the one key that every comparison uses. Pure."""

from __future__ import annotations

import os
import posixpath
import re
from functools import lru_cache

# What DVC knows, and `ds` for its datasets.
SCHEMES = frozenset(
    {"azure", "ds", "gdrive", "gs", "hdfs", "http", "https", "oss", "remote", "s3", "ssh"}
    | {"webdav", "webdavs", "webhdfs"}
)

LONGEST = 255  # bytes of one name, on every file system in use
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_FOR_OUTS = frozenset({".git", ".hg", ".dvc"})


class BadPathError(ValueError):
    """A path that no stage may have: what is wrong, and what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def key_of(path: str, directory: str, root: str) -> str:
    """The key of a local `path` that is relative to `directory` (a key)."""
    return _key(posixpath.join("/", root, directory, path), root)


@lru_cache(maxsize=65536)
def located(path: str, wdir: str, root: str) -> tuple[str, str]:
    """The path that `dvc.lock` records, and the key, of what a stage in `wdir` (a key) names.

    Both are as written but for an absolute path inside `root`, which DVC records relative to
    `wdir`. Raises BadPathError for what cannot be a dep or an out.
    """
    _check(path)
    if "://" in path and is_url(path):
        return path, path
    key = _key(posixpath.join("/", root, wdir, path), root)
    if path.startswith("/") and not key.startswith("/") and key:
        start = posixpath.join("/", root, wdir)
        return posixpath.relpath(posixpath.join("/", root, key), start), key
    return path, key


def touch(one: str, other: str) -> bool:
    """Whether two keys are one path, or one lies in the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def is_url(path: str) -> bool:
    """Whether DVC takes `path` for a URL; raises BadPathError for a kind that it does not know."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(path)
    except ValueError as error:
        raise BadPathError(f"'{path}' is not a URL: {error}") from None
    if not parts.scheme or not parts.netloc:
        return False
    if parts.scheme not in SCHEMES:
        raise BadPathError(
            f"'{path}' is a URL of an unknown kind", f"known: {', '.join(sorted(SCHEMES))}"
        )
    return True


def check_text(path: str) -> None:
    """Raise BadPathError for characters that no path can have here."""
    if "\n" in path or "\r" in path:
        raise BadPathError(f"{path!r} has a line break in it", "rename the file")
    if not can_be_passed(path):
        raise BadPathError(f"{path!r} has a character in it that no path can have", "correct it")


def can_be_passed(text: str) -> bool:
    """Whether the operating system takes `text`: no NUL, and no half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def check_out(path: str, key: str, root: str) -> None:
    """Raise BadPathError for an out whose removal would take the repository with it."""
    if key == "" or f"{root}/".startswith(f"{key.rstrip('/')}/"):
        raise BadPathError(
            f"'{path}' holds the whole repository, and a run replaces its outs",
            "name the files or folders that the command writes",
        )
    parts = key.split("/")
    for name in parts if parts[0] else ():
        if name in _NOT_FOR_OUTS or parts[0] == ".mlctl":
            raise BadPathError(
                f"'{path}' lies in {name}, where no out may be", "write it to another folder"
            )


def _check(path: str) -> None:
    if not path:
        raise BadPathError("an empty path")
    check_text(path)
    if len(path) > LONGEST and any(len(os.fsencode(p)) > LONGEST for p in path.split("/")):
        raise BadPathError(f"a name longer than {LONGEST} bytes: '{path[:40]}…'", "shorten it")
    if path.endswith(".dvc") or posixpath.basename(path) == "dvc.yaml":
        raise BadPathError(
            f"'{path}' is a file of DVC itself, which cannot be a dep or an out",
            "name the data file that it describes",
        )


def _key(absolute: str, root: str) -> str:
    absolute = posixpath.normpath(absolute)
    if absolute == root:
        return ""
    inside = root if root.endswith("/") else root + "/"
    return absolute.removeprefix(inside)
