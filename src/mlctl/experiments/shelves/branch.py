"""Records on a branch of their own, read without a checkout.

Which commit the branch is at is looked up in git's files, for a listing asks each time and a
process of git costs more than all the rest of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mlctl.adapters.git import contents
from mlctl.adapters.git_objects import Entry, changed, empty_tree, resolve
from mlctl.experiments.branch_store import tree_prefix
from mlctl.experiments.shelves.folder import read_or_none
from mlctl.records.refs import RUNS
from mlctl.records.run import run_folder


def git_folder(root: str) -> str | None:
    """The folder that all work trees of the repository around `root` share; None without one."""
    folder = os.path.abspath(root)
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    found = os.path.join(folder, ".git")
    if not os.path.isdir(found):  # of a linked work tree, or a submodule
        said = (read_or_none(found) or b"").decode("utf-8", "surrogateescape").strip()
        found = os.path.join(folder, said.removeprefix("gitdir:").strip())
    common = (read_or_none(os.path.join(found, "commondir")) or b"").decode().strip()
    found = os.path.normpath(os.path.join(found, common))
    return found if os.path.isdir(os.path.join(found, "objects")) else None


def tip(root: str, common: str | None) -> str | None:
    """The commit of the branch, or None where there is none."""
    if common is None:
        return None
    loose = read_or_none(os.path.join(common, RUNS))
    if loose is not None:
        return loose.decode().strip()
    if os.path.isdir(os.path.join(common, "reftable")):
        return resolve(root, RUNS)
    for line in (read_or_none(os.path.join(common, "packed-refs")) or b"").splitlines():
        if line.endswith(b" " + RUNS.encode()):
            return line.split(b" ")[0].decode()
    return None


def files(root: str, commit: str) -> dict[str, Entry]:
    """All files of a commit of the branch, by key."""
    prefix = tree_prefix(root)
    found = changed(root, empty_tree(root), commit)
    return {
        path.removeprefix(prefix): entry
        for path, entry in found.items()
        if entry is not None and path.startswith(prefix)
    }


def changes(root: str, old: str, new: Mapping[str, Entry]) -> set[str]:
    """The keys of the files that differ between a commit and the files of another; all, where
    git has the commit no more.
    """
    before = files(root, old) if resolve(root, old) else {}
    return {key for key in before.keys() | new.keys() if before.get(key) != new.get(key)}


def read(root: str, entries: Sequence[Entry]) -> list[bytes]:
    """The files' bytes, by one process for all."""
    return contents([entry.oid for entry in entries], root)


def parts(root: str, commit: str, run_id: str) -> dict[str, Entry]:
    """The files of a record, by name."""
    place = f"{commit}:{tree_prefix(root)}{run_folder(run_id)}"
    found = changed(root, empty_tree(root), place)
    return {name: entry for name, entry in found.items() if entry is not None}
