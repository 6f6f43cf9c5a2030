"""Finished files that lie in a temporary place: they become objects of the cache, by rename."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from mlctl.store.digest import Digest
from mlctl.store.hashing import file_md5
from mlctl.store.links import remove
from mlctl.store.observed import Entry, Observed
from mlctl.store.state import Signature, signature
from mlctl.store.tree import TreeEntry, tree_bytes, tree_id
from mlctl.store.workspace import Workspace


def take(workspace: Workspace, path: str, *, keep: bool = False) -> tuple[TreeEntry, ...]:
    """Put the file or folder `path` (absolute) into the cache and remove it; what it held.

    A single file has the relpath "". Not flushed: call `Cache.flush` once for many. A file with
    another name, or a link, is copied: its other name belongs to somebody else. With `keep` the
    caller removes it later, and nobody writes to it meanwhile. Raises InvalidInput for what DVC
    refuses in a folder.
    """
    taken = []
    for relpath, file in sorted(_files(workspace, path)):
        status = os.stat(file)
        md5 = file_md5(file)
        entry = Entry(relpath, md5, status.st_size, file, signature(status))
        ours = not os.path.islink(file) and status.st_nlink == 1
        observed = Observed(file, file, Digest(md5), _giving((entry,)))
        workspace.cache.commit(observed, hardlink=ours, flush=False)
        taken.append(TreeEntry(relpath, md5))
    if not keep:
        remove(path)
    return tuple(taken)


def add_listing(workspace: Workspace, files: Iterable[TreeEntry]) -> Digest:
    """Put the listing of a folder into the cache, which holds its files already; its digest."""
    entries = tuple(sorted(Entry(f.relpath, f.md5, 0, "", Signature(0, 0, 0, 0)) for f in files))
    digest = Digest(tree_id(tree_bytes((entry.relpath, entry.md5) for entry in entries)))
    workspace.cache.commit(Observed("", "", digest, _giving(entries)), flush=False)
    return digest


def _files(workspace: Workspace, path: str) -> Iterator[tuple[str, str]]:
    if os.path.isdir(path):
        for relpath, _ in workspace.ignore.walk(path):
            yield relpath, f"{path}/{relpath}"
    else:
        yield "", path


def _giving(entries: tuple[Entry, ...]) -> Callable[[], tuple[Entry, ...]]:
    return lambda: entries
