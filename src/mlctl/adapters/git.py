"""git: every question to it and every change through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from mlctl.adapters import process
from mlctl.adapters.process import Result, call

StrPath = str | os.PathLike[str]

_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}

# The environment of a commit that is mlctl's own, so that it needs no user's name.
OUR_NAME = {
    f"GIT_{role}_{name}": value
    for role in ("AUTHOR", "COMMITTER")
    for name, value in (("NAME", "mlctl"), ("EMAIL", "mlctl@localhost"))
}


def git(
    *args: str,
    cwd: StrPath,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    check: bool = True,
) -> Result:
    """Run `git ARGS` in `cwd`, without the optional locks that would disturb a user's git."""
    return call(["git", *args], cwd=cwd, env={**_QUIET, **(env or {})}, stdin=stdin, check=check)


def begin(*args: str, cwd: StrPath) -> Callable[[], Result]:
    """Start `git ARGS` in `cwd`; what is returned waits for its end."""
    return process.begin(["git", *args], cwd=cwd, env=_QUIET)


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
