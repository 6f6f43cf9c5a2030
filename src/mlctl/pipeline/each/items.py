"""Which items there are to do: names, listings and what is known of them, compared. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlctl.errors import InvalidInput
from mlctl.store.tree import TreeEntry

Files = tuple[TreeEntry, ...]  # the result of one item, with paths in the out
Known = Mapping[TreeEntry, Files]  # what came of an item (its path and MD5)

_FIELD = re.compile(r"\{([A-Za-z_]*)\}")
_FIELDS = ("item", "stem")


@dataclass(frozen=True, slots=True)
class Division:
    """Every item, in order: those whose result is taken, and those to do."""

    taken: Mapping[TreeEntry, Files]
    todo: tuple[TreeEntry, ...]


def names_of(items: Iterable[str], pattern: str) -> dict[str, str]:
    """Where the result of each item lies in the out.

    Raises InvalidInput for a pattern or a name that cannot be, and for two items whose results
    would lie in one place, or one inside the other.
    """
    for field in _FIELD.findall(pattern):
        if field not in _FIELDS:
            raise InvalidInput(
                f"--name {pattern!r}: unknown {{{field}}}", hint="known: {item}, {stem}"
            )
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for item in items:
        name = _name_of(item, pattern)
        if name in owners:
            raise _clash(owners[name], item, f"both have the result {name!r}")
        names[item], owners[name] = name, item
    for name, item in owners.items():
        for folder in _folders(name):
            if folder in owners:
                place = f"the result {name!r} of one lies in the result of the other"
                raise _clash(owners[folder], item, place)
    return names


def divide(items: Sequence[TreeEntry], known: Known, has: Callable[[str], bool]) -> Division:
    """Take what is known of an item where `has` finds every file of it; the rest is to do."""
    taken: dict[TreeEntry, Files] = {}
    todo = []
    for item in items:
        files = known.get(item)
        if files is not None and all(has(file.md5) for file in files):
            taken[item] = files
        else:
            todo.append(item)
    return Division(taken, tuple(todo))


def from_listings(
    items: Iterable[TreeEntry], results: Iterable[TreeEntry], pattern: str
) -> dict[TreeEntry, Files]:
    """What came of each item, by the listings of both folders as they were recorded together.

    An item without a file under its name is left out: whether it has an empty result, or none
    yet, the listings do not tell.
    """
    listed = list(items)
    try:
        names = names_of((item.relpath for item in listed), pattern)
    except InvalidInput:
        return {}
    owners = {names[item.relpath]: item for item in listed}
    found: dict[TreeEntry, list[TreeEntry]] = {}
    for result in results:
        for name in (result.relpath, *_folders(result.relpath)):
            if name in owners:
                found.setdefault(owners[name], []).append(result)
                break
    return {item: tuple(files) for item, files in found.items()}


def _name_of(item: str, pattern: str) -> str:
    values = {"item": item, "stem": posixpath.splitext(item)[0]}
    name = _FIELD.sub(lambda match: values[match[1]], pattern)
    parts = name.split("/")
    if {"", ".", ".."} & set(parts) or "\0" in name:
        raise InvalidInput(
            f"--name {pattern!r}: {item!r} would have its result at {name!r}",
            hint="a name is a path inside the out, as in '{stem}.png'",
        )
    return name


def _folders(name: str) -> list[str]:
    """The folders that `name` lies in, from the nearest."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


def _clash(one: str, other: str, what: str) -> InvalidInput:
    return InvalidInput(
        f"items {one!r} and {other!r}: {what}",
        hint="name them apart with --name, as in '{item}.png', which keeps the whole path",
    )
