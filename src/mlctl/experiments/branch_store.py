"""Records on a branch of their own: `mlctl/runs`, which shares no commit with the user's.

It has the layout of the work tree (`runs/…` below the DVC root's place in the repository) and is
written without a checkout: HEAD, the index and the work tree are not touched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from mlctl.adapters.files import remove_file
from mlctl.adapters.git import git
from mlctl.adapters.git_objects import Change, make_commit, move_ref
from mlctl.records.refs import RUNS

FOLDER = "runs"
_RECORD = 3  # parts of `runs/<day>/<id>`
# DVC looks for pipelines in every folder of every commit, unless it is told not to.
_TOP = {".dvcignore": b"/runs\n"}


def tree_prefix(root: str) -> str:
    """The DVC root from git's top level: empty, or `sub/`. Raises ToolFailed outside of one."""
    return git("rev-parse", "--show-prefix", cwd=root).stdout.removesuffix("\n")


def write_records(root: str, changes: Mapping[str, bytes | None], message: str) -> str | None:
    """Commit files, by key, to the branch; None removes a file or a folder. The branch's commit.

    Several processes may do this at once: no one's files are lost. Raises ToolFailed.
    """
    prefix = tree_prefix(root)
    by_path: dict[str, Change] = {prefix + key: content for key, content in changes.items()}
    top: dict[str, Change] = {prefix + name: content for name, content in _TOP.items()}

    def make(old: str | None) -> str:
        return make_commit(root, message, by_path if old else top | by_path, parent=old)

    return move_ref(root, RUNS, make)


def store_records(root: str, keys: Iterable[str], message: str) -> str | None:
    """Move files and folders below `runs/` to the branch; its commit, or None where none is there.

    They go from the work tree once the branch has them, so a killed process loses nothing.
    """
    files = sorted(set(files_below(root, keys)))
    if not files:
        return None
    content = {key: _read(os.path.join(root, key)) for key in files}
    commit = write_records(root, content, message)
    for key in files:
        remove_file(os.path.join(root, key))
    _remove_empty(root, files)
    return commit


def files_below(root: str, keys: Iterable[str]) -> Iterator[str]:
    """The keys of the files that `keys` (files or folders) stand for, as far as they are there."""
    for key in keys:
        if os.path.isfile(os.path.join(root, key)):
            yield key
        for top, _, names in os.walk(os.path.join(root, key)):
            folder = os.path.relpath(top, root)
            yield from (os.path.join(folder, name) for name in names)


def untracked_records(root: str, keys: Iterable[str]) -> list[str]:
    """The files below `keys` that are of no record that the user's branch has. Keys."""
    files = list(files_below(root, keys))
    listed = git("ls-files", "-z", "--", FOLDER, cwd=root).stdout
    known = {record_of(key) for key in listed.split("\0") if key}
    return [key for key in files if record_of(key) not in known]


def record_of(key: str) -> str:
    """The folder of the record that a file below `runs/` is of; a file beside them is its own."""
    parts = key.split("/")
    return "/".join(parts[:_RECORD]) if len(parts) > _RECORD else key


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _remove_empty(root: str, files: Iterable[str]) -> None:
    """Remove the folders that are empty without `files`, up to `runs` itself."""
    for folder in {os.path.dirname(key) for key in files}:
        at = folder
        while at:
            try:
                os.rmdir(os.path.join(root, at))
            except OSError:  # another record is in it
                break
            at = os.path.dirname(at)
