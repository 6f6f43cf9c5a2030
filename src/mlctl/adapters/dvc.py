"""DVC itself, for what needs it: remotes, imports and URLs. Never called where nothing changed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlctl.adapters.process import Result, ToolFailed, call
from mlctl.errors import InvalidInput, NotAble

if TYPE_CHECKING:
    from dvc.repo import Repo

StrPath = str | os.PathLike[str]


def dvc(*args: str, cwd: StrPath, check: bool = True) -> Result:
    """Run `dvc ARGS` with the DVC that mlctl was installed with; costs about 0.5 s a call."""
    argv = [sys.executable, "-m", "dvc", *args]
    return call(argv, cwd=cwd, env={"DVC_NO_ANALYTICS": "1"}, check=check)


def ask(*args: str, cwd: StrPath) -> None:
    """Run `dvc ARGS` (without `-q`, which hides errors). Raises InvalidInput with what it said."""
    try:
        dvc(*args, cwd=cwd)
    except ToolFailed as error:
        said = error.result.stderr.strip().split("\n")
        start = next((n for n, line in enumerate(said) if line.startswith("ERROR: ")), 0)
        more = [line.strip() for line in said[start + 1 :] if "dvc.org/support" not in line]
        hint = " ".join(filter(None, more)) or None
        message = said[start].removeprefix("ERROR: ") or f"dvc {args[0]} failed"
        raise InvalidInput(f"dvc {args[0]}: {message}", hint=hint) from None


def fetch(root: StrPath, targets: Sequence[str]) -> str:
    """Bring what these outs need into the cache, from wherever each comes; in one call.

    What it could bring is there, whatever else failed. Returns what DVC said about the rest, whose
    lack it does not take for a failure, in one line.
    """
    result = dvc("fetch", "--", *targets, cwd=root, check=False)
    said = result.stderr.strip().partition("\n")[0]
    return said.removeprefix("ERROR: ").removeprefix("WARNING: ")


def pull_objects(root: str, md5s: Sequence[str]) -> None:
    """Bring objects (`….dir` with the files of the folder) into the cache. Raises NotAble."""
    from dvc_data.hashfile.hash_info import HashInfo

    with _answering():
        _repo(root).cloud.pull([HashInfo("md5", md5) for md5 in md5s])


def in_remotes(
    root: str, objects: Sequence[tuple[str, bool, str | None]]
) -> set[tuple[str, bool, str | None]]:
    """Those of `objects` that their remote has: hash, whether it is DVC 2's, the remote's name.

    A name of None is the default remote. What the listing of a folder (`….dir`) names is there
    where the listing is, as DVC takes it, which pushes that last. Raises NotAble.
    """
    found: set[tuple[str, bool, str | None]] = set()
    with _answering():
        for legacy, remote in {item[1:] for item in objects}:
            kind = "md5-dos2unix" if legacy else "md5"
            md5s = [item[0] for item in objects if item[1:] == (legacy, remote)]
            with _reaching(remote):
                store = _repo(root).cloud.get_remote_odb(remote, "check", hash_name=kind)
                found.update((md5, legacy, remote) for md5 in store.oids_exist(md5s))
    return found


def external_entry(root: str, url: str) -> dict[str, Any] | None:
    """What DVC's lock would hold of a URL (an etag, a size), or None where nothing is.

    `ds://NAME` is the dataset NAME of a `dvc.yaml`, at the version that `dvc ds update` recorded.
    """
    from dvc.dependency import loads_from
    from dvc.stage import Stage

    with _answering():
        if url.startswith("ds://"):
            found = _repo(root).datasets[url.removeprefix("ds://")].lock
            return {"path": url, "dataset": found.to_dict()} if found else None
        stage = Stage(_repo(root), path=os.path.join(root, "dvc.yaml"), wdir=root)
        (dep,) = loads_from(stage, [url])
        if not dep.exists:
            return None
        dep.save()
        entry: dict[str, Any] = dep.dumpd()
    return entry


@contextmanager
def _reaching(remote: str | None) -> Iterator[None]:
    """The errors of a remote as ours: each kind of remote has a library with errors of its own."""
    from dvc.exceptions import DvcException

    try:
        yield
    except DvcException:
        raise
    except Exception as error:
        name = f"the remote {remote!r}" if remote else "the default remote"
        raise NotAble(
            f"{name} cannot be asked: {error}", hint="look at `dvc remote list`"
        ) from error


@lru_cache(maxsize=1)
def _repo(root: str) -> Repo:
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.repo import Repo

    return Repo(root)


@contextmanager
def _answering() -> Iterator[None]:
    """DVC's own errors as ours: what it said, and that it was DVC that said it."""
    from dvc.exceptions import DvcException

    try:
        yield
    except DvcException as error:
        raise NotAble(f"dvc: {error}", hint="`dvc remote list` shows the remotes") from error
