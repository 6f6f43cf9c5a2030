"""git: every question to it and every change through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mlctl.adapters import process
from mlctl.adapters.process import Result, call, call_bytes

StrPath = str | os.PathLike[str]

_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}

# The environment of a commit that is mlctl's own, so that it needs no user's name.
OUR_NAME = {
    f"GIT_{role}_{name}": value
    for role in ("AUTHOR", "COMMITTER")
    for name, value in (("NAME", "mlctl"), ("EMAIL", "mlctl@localhost"))
}


class Blob(NamedTuple):
    """A file as git holds it: `path` from the folder that was asked; `stage` above 0: unmerged."""

    path: str
    oid: str
    mode: str = "100644"
    stage: int = 0


def git(
    *args: str,
    cwd: StrPath,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    check: bool = True,
) -> Result:
    """Run `git ARGS` in `cwd`, without the optional locks that would disturb a user's git."""
    return call(["git", *args], cwd=cwd, env={**_QUIET, **(env or {})}, stdin=stdin, check=check)


def begin(*args: str, cwd: StrPath, check: bool = True) -> Callable[[], Result]:
    """Start `git ARGS` in `cwd`; what is returned waits for its end."""
    return process.begin(["git", *args], cwd=cwd, env=_QUIET, check=check)


def toplevel(cwd: StrPath) -> str | None:
    """The work tree's root, or None outside of one."""
    result = git("rev-parse", "--show-toplevel", cwd=cwd, check=False)
    return result.stdout.removesuffix("\n") if result.code == 0 else None


def head(cwd: StrPath) -> str | None:
    """The commit that HEAD names, or None before the first one."""
    result = git("rev-parse", "--verify", "-q", "HEAD", cwd=cwd, check=False)
    return result.stdout.strip() if result.code == 0 else None


def branch(cwd: StrPath) -> str | None:
    """The checked-out branch, or None on a detached HEAD."""
    result = git("symbolic-ref", "-q", "--short", "HEAD", cwd=cwd, check=False)
    return result.stdout.strip() if result.code == 0 else None


def tracked(paths: Sequence[str], cwd: StrPath) -> set[str]:
    """Those of `paths` (relative to `cwd`) that git tracks, folders by what is in them."""
    if not paths:
        return set()
    result = git("ls-files", "-z", "--", *(f":(literal){p}" for p in paths), cwd=cwd, check=False)
    listed = [name for name in result.stdout.split("\0") if name]
    return {p for p in paths if any(n == p or n.startswith(p.rstrip("/") + "/") for n in listed)}


def staged(cwd: StrPath, *patterns: str) -> list[Blob]:
    """The files below `cwd` in the index, all or those that match (git's wildcards)."""
    listed = git("ls-files", "-s", "-z", "--", *patterns, cwd=cwd).stdout
    found = []
    for line in filter(None, listed.split("\0")):
        facts, _, path = line.partition("\t")
        mode, oid, stage = facts.split(" ")
        found.append(Blob(path, oid, mode, int(stage)))
    return found


def committed(cwd: StrPath, revision: str) -> list[Blob]:
    """The files below `cwd` in a commit; none where there is no such commit."""
    result = git("ls-tree", "-r", "-z", revision, cwd=cwd, check=False)
    found = []
    for line in filter(None, result.stdout.split("\0") if result.code == 0 else ()):
        facts, _, path = line.partition("\t")
        mode, _, oid = facts.split(" ")
        found.append(Blob(path, oid, mode))
    return found


def contents(oids: Sequence[str], cwd: StrPath) -> list[bytes]:
    """The bytes of each object, by one process for all; none of one that git does not have."""
    data = _cat_file("--batch", oids, cwd)
    found, at = [], 0
    for _ in oids:
        end = data.index(b"\n", at)
        size = _size(data[at:end])
        found.append(data[end + 1 : end + 1 + size])
        at = end + 1 + (size + 1 if not data[at:end].endswith(b" missing") else 0)
    return found


def sizes(oids: Sequence[str], cwd: StrPath) -> list[int]:
    """The size of each object in bytes, by one process for all; 0 for what git does not have."""
    return [_size(line) for line in _cat_file("--batch-check", oids, cwd).splitlines()]


def _size(header: bytes) -> int:
    last = header.rsplit(b" ", 1)[1]
    return 0 if last == b"missing" else int(last)


def _cat_file(form: str, oids: Iterable[str], cwd: StrPath) -> bytes:
    asked = "".join(f"{oid}\n" for oid in oids)
    return call_bytes(["git", "cat-file", form], asked.encode(), cwd=cwd) if asked else b""
