"""Taking damaged objects out of the cache and bringing sound ones in, without losing any.

What is taken out lies in `<cache.dir>/damaged`, where neither DVC nor mlctl looks, until a sound
object has taken its place: a damaged file may be all that is left of something.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress

from mlctl.store.cache import Cache
from mlctl.store.digest import Digest
from mlctl.store.links import make_link
from mlctl.store.observed import Entry, Observed
from mlctl.store.state import signature
from mlctl.store.tree import tree_bytes, tree_id
from mlctl.store.verify import Object, object_md5

FOLDER = "damaged"


def set_aside(cache: Cache, item: Object) -> str | None:
    """Take a damaged object out of the cache, and return where it lies now.

    None where it turns out to be sound, or is gone: somebody else mended it since.
    """
    path = cache.path(item.md5, legacy=item.legacy)
    aside = move_aside(cache, path)
    # Hashed under its new name: between a look and a move, a sound one could have come there.
    if aside is None or not _is_sound(aside, item):
        return aside
    os.replace(aside, path)
    _remove(cache, aside)
    return None


def move_aside(cache: Cache, path: str) -> str | None:
    """Move a file of the cache to the same place under `damaged`; None where it is gone.

    What was put there before stays: it may be all that is left of something.
    """
    target = os.path.join(
        cache.config.cache_dir, FOLDER, os.path.relpath(path, cache.config.cache_dir)
    )
    os.makedirs(os.path.dirname(target), exist_ok=True)
    name = target
    for number in itertools.count(1):
        if not os.path.lexists(target):
            break
        target = f"{name}.{number}"
    try:
        os.replace(path, target)
    except FileNotFoundError:
        return None
    return target


def restore_file(cache: Cache, item: Object, source: str) -> bool:
    """Copy the file `source` into the cache if it has the object's bytes; then flush the cache.

    Raises Busy where it changes meanwhile.
    """
    try:
        sign = signature(os.stat(source))
        if not os.path.isfile(source) or object_md5(source, legacy=item.legacy) != item.md5:
            return False
    except OSError:
        return False
    entry = Entry("", item.md5, sign.size, source, sign)
    digest = Digest(item.md5, legacy=item.legacy)
    cache.commit(Observed("", source, digest, lambda: (entry,), lambda: {"": sign}), flush=False)
    return True


def restore_folder(cache: Cache, item: Object, seen: Observed) -> bool:
    """Put the listing `item` into the cache if a folder was seen to have it, and files that lack;
    then flush the cache.
    """
    if tree_id(tree_bytes((entry.relpath, entry.md5) for entry in seen.entries)) != item.md5:
        return False
    cache.commit(seen, flush=False)
    return True


def replaced(cache: Cache, item: Object, aside: str, users: list[str]) -> None:
    """A sound object is there again: forget the damaged one.

    `users` are files of the workspace; those that are hard links to the damaged one are linked to
    the sound one.
    """
    with suppress(FileNotFoundError):
        bad = os.stat(aside)
        for user in users:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.lstat(user), bad):
                    path = cache.path(item.md5, legacy=item.legacy)
                    make_link(path, user, list(cache.config.link_types))
    _remove(cache, aside)


def _is_sound(path: str, item: Object) -> bool:
    """Whether it is, or may be: what cannot be read is not called damaged."""
    try:
        actual = object_md5(path, legacy=item.legacy)
    except OSError:
        return True
    return actual == item.md5.removesuffix(".dir")


def _remove(cache: Cache, aside: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(aside)
    folder = os.path.dirname(aside)
    while folder != cache.config.cache_dir:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)
