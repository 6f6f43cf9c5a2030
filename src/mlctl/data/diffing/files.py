"""Two listings of a folder, or of all data, compared: added, removed, changed, renamed. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Paths, sorted; `renamed` are pairs (old, new) with the same content."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.renamed)


def compare_files(old: Mapping[str, str], new: Mapping[str, str]) -> FileChanges:
    """What became of each path; the values are digests of the contents."""
    added, removed = new.keys() - old.keys(), old.keys() - new.keys()
    renamed = _renames({p: old[p] for p in removed}, {p: new[p] for p in added})
    return FileChanges(
        added=tuple(sorted(added - {new_path for _, new_path in renamed})),
        removed=tuple(sorted(removed - {old_path for old_path, _ in renamed})),
        changed=tuple(sorted(path for path in old.keys() & new.keys() if old[path] != new[path])),
        renamed=tuple(renamed),
    )


def _renames(removed: Mapping[str, str], added: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs with one digest: those of one name first, then in their order."""
    free: dict[str, list[str]] = {}
    for path in sorted(added):
        free.setdefault(added[path], []).append(path)
    pairs: list[tuple[str, str]] = []
    for by_name in (True, False):
        for path in sorted(removed.keys() - {old for old, _ in pairs}):
            for candidate in free.get(removed[path], []):
                if not by_name or posixpath.basename(candidate) == posixpath.basename(path):
                    pairs.append((path, candidate))
                    free[removed[path]].remove(candidate)
                    break
    return sorted(pairs)
