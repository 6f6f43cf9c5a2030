"""What the cache holds of a file or a folder, seen under its own name by somebody who reads it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from mlctl.store.cache import Cache
from mlctl.store.digest import Digest
from mlctl.store.state import make_local_dir
from mlctl.store.tree import TreeEntry


@contextmanager
def viewed(cache: Cache, key: str, digest: Digest) -> Iterator[str]:
    """A folder in which `key` is what `digest` names: links to the objects, gone after the block.

    Raises MissingObjects where the cache lacks the listing of a folder.
    """
    make_local_dir(cache.config.local_dir)
    entries = cache.tree(digest.md5) if digest.isdir else (TreeEntry("", digest.md5),)
    with tempfile.TemporaryDirectory(dir=cache.config.local_dir, prefix="view-") as folder:
        for entry in entries:
            path = os.path.join(folder, key, entry.relpath) if entry.relpath else f"{folder}/{key}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(cache.path(entry.md5), path)
        yield folder
