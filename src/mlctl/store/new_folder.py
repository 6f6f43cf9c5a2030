"""A whole folder made from the cache: built out of sight, and put in its place by one rename."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache

from mlctl.store.links import make_new_link, remove, temporary_name
from mlctl.store.slices import share_out
from mlctl.store.state import Signature, signature


def make(
    path: str, objects: Mapping[str, str], types: Sequence[str], temporary: str
) -> dict[str, Signature]:
    """Make the folder `path`, which does not exist, with links to `objects` (relpath -> object).

    It is built in the folder `temporary` of the same file system. Returns the files' signatures.
    Raises NotAble where no link type works, and OSError.
    """
    building = os.path.join(temporary, temporary_name())
    try:
        for folder in sorted({"", *map(os.path.dirname, objects)}):
            os.makedirs(os.path.join(building, folder), exist_ok=True)
        items = [(source, f"{building}/{name}") for name, source in objects.items()]
        answers = share_out(__name__, items, ",".join(types))
        made = {}
        for name, item, answer in zip(objects, items, answers, strict=True):
            if answer is None:
                remove(item[1])
                answer = work(item, ",".join(types))
            made[name] = Signature(*answer)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.rename(building, path)
    except BaseException:
        remove(building)
        raise
    return made


def work(item: tuple[str, str], types: str) -> Signature:
    """Make one link: from an object, to a path that does not exist."""
    source, target = item
    make_new_link(source, target, _left(types))
    return signature(os.stat(target))


@cache
def _left(types: str) -> list[str]:
    """The link types that have not been refused in this process."""
    return types.split(",")
