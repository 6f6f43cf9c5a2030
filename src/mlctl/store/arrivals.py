"""Outs that come from elsewhere: into the cache, verified, and from there to their place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from mlctl.errors import NotAble
from mlctl.store import checkout
from mlctl.store.digest import Digest
from mlctl.store.links import remove
from mlctl.store.workspace import Workspace

# Fetches objects to the paths that it is told, and yields the ids of those that are whole.
Get = Callable[[Iterable[str], Callable[[str], str]], Iterator[str]]


def bring(
    workspace: Workspace, outs: Mapping[str, Digest], cached: Mapping[str, bool], get: Get
) -> None:
    """Make what lies at each key of `outs` equal to its digest, fetching what the cache lacks.

    Nothing of the workspace is touched before all is there. An out that is not `cached` passes
    through the cache, too: what it leaves there is no more than DVC's run-cache would.
    """
    cache = workspace.cache
    first = [d.md5 for d in outs.values() if not cache.exists(d.md5)]
    _fetch(workspace, first, get)
    inner = {
        entry.md5 for digest in outs.values() if digest.isdir for entry in cache.tree(digest.md5)
    }
    _fetch(workspace, [md5 for md5 in sorted(inner) if not cache.exists(md5)], get)
    copies = workspace.with_copies()
    for key, digest in outs.items():
        path = workspace.path(key)
        if os.path.isdir(path) != digest.isdir:
            remove(path)
        checkout.checkout(workspace if cached[key] else copies, digest, key)


def _fetch(workspace: Workspace, md5s: list[str], get: Get) -> None:
    if not md5s:
        return
    came = list(get(md5s, workspace.cache.path))
    missing = set(md5s) - set(came)
    if missing:
        raise NotAble(f"{len(missing)} objects did not come")
    workspace.cache.note_new(came)
