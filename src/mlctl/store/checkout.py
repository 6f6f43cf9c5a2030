"""From the cache into the workspace, and the links that are left there after a commit."""

from __future__ import annotations

import os
import stat as stat_module
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from mlctl.errors import Busy, InvalidInput
from mlctl.store import new_folder
from mlctl.store.cache import MissingObjects
from mlctl.store.digest import Digest
from mlctl.store.links import make_link, protect, remove, set_executable
from mlctl.store.observe import observe
from mlctl.store.observed import Entry, Observed
from mlctl.store.state import Signature, make_local_dir, signature
from mlctl.store.tree import TreeEntry
from mlctl.store.workspace import Workspace

_COPIES = {"copy", "reflink"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a checkout did to the files at one key: POSIX paths in it, `""` for a single file."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.deleted)


def checkout(workspace: Workspace, digest: Digest, key: str, *, force: bool = True) -> Changes:
    """Make what lies at `key` equal to `digest`, touching only the files that differ.

    Files that the folder does not list are deleted, except ignored ones. Without `force`, content
    that is not in the cache is never thrown away: InvalidInput names it. Raises MissingObjects,
    before anything is touched, where the cache lacks what is needed.
    """
    cache, legacy = workspace.cache, digest.legacy
    current = workspace.observe(key, legacy=legacy)
    if current is not None and current.digest.md5 == digest.md5:
        if digest.isexec and not current.digest.isexec:
            set_executable(current.path)
        return Changes()
    target = cache.tree(digest.md5, legacy=legacy) if digest.isdir else (TreeEntry("", digest.md5),)
    wanted = {entry.relpath: entry.md5 for entry in target}
    present = _present(current)
    needed = {name: md5 for name, md5 in wanted.items() if present.get(name) != md5}
    _require(workspace, key, needed.values(), legacy)
    deleted = tuple(sorted(name for name in present if name not in wanted))
    modified = tuple(sorted(name for name in needed if name in present))
    if not force:
        _refuse_loss(workspace, current, {*deleted, *modified}, legacy)
    path = workspace.path(key)
    if current is not None and current.digest.isdir != digest.isdir:
        remove(path)
    known = _apply(workspace, path, deleted, needed, digest)
    _remember(workspace, key, known, legacy)
    added = tuple(sorted(name for name in needed if name not in present))
    return Changes(added, modified, deleted)


def checkout_part(
    workspace: Workspace, digest: Digest, key: str, inside: str, *, force: bool = True
) -> Changes:
    """Do as `checkout` for what lies at `inside` in the folder `key`, and leave the rest alone."""
    cache, legacy = workspace.cache, digest.legacy
    whole = cache.tree(digest.md5, legacy=legacy)
    wanted = {entry.relpath: entry.md5 for entry in whole if _lies_in(entry.relpath, inside)}
    if not wanted:
        raise InvalidInput(f"{key} has nothing called {inside!r}")
    current = workspace.observe(key, legacy=legacy)
    present = {n: md5 for n, md5 in _present(current).items() if _lies_in(n, inside)}
    needed = {name: md5 for name, md5 in wanted.items() if present.get(name) != md5}
    _require(workspace, f"{key}/{inside}", needed.values(), legacy)
    deleted = tuple(sorted(name for name in present if name not in wanted))
    modified = tuple(sorted(name for name in needed if name in present))
    if not force:
        _refuse_loss(workspace, current, {*deleted, *modified}, legacy)
    os.makedirs(workspace.path(key), exist_ok=True)
    known = _apply(workspace, workspace.path(key), deleted, needed, digest)
    _remember(workspace, key, known, legacy)
    added = tuple(sorted(name for name in needed if name not in present))
    return Changes(added, modified, deleted)


def _lies_in(relpath: str, inside: str) -> bool:
    return relpath == inside or relpath.startswith(f"{inside}/")


def relink(workspace: Workspace, observed: Observed) -> None:
    """Leave the workspace linked to the cache as DVC does after a commit.

    With links as the configured type the files become links (read-only); copies stay as they are.
    Call it after `Cache.commit`.
    """
    types = workspace.config.link_types
    legacy, isdir = observed.digest.legacy, observed.digest.isdir
    if types[0] in {"hardlink", "symlink"}:
        workspace.cache.flush()  # protecting objects later would look like a change of the links
    known: dict[str, tuple[Signature, str]] = {}
    remaining = list(types)
    temporary: str | None = None
    for entry in observed.entries:
        status = os.lstat(entry.path)
        if types[0] in _COPIES and _is_plain(status):  # most of all files: no second look
            _refuse_changed(entry, status)
            continue
        cached = workspace.cache.path(entry.md5, legacy=legacy)
        status = os.stat(entry.path)
        same = os.path.samestat(status, os.stat(cached))
        if not same:
            _refuse_changed(entry, status, hardlinks=types[0] == "hardlink")
        if _needs_relink(entry.path, cached, types, isdir):
            workspace.cache.flush()  # an object may be marked as trusted only after that
            temporary = temporary or _temporary_folder(workspace, os.path.dirname(observed.path))
            make_link(cached, entry.path, remaining, temporary)
            protect(cached)
        elif not same:
            continue
        known[entry.relpath] = (signature(os.stat(entry.path)), entry.md5)
    if observed.digest.isexec and known:
        set_executable(observed.path)
        known[""] = (signature(os.stat(observed.path)), observed.digest.md5)
    if known:
        unchanged = {e.relpath: (e.signature, e.md5) for e in observed.entries}
        _remember(workspace, observed.key, {**unchanged, **known}, legacy)


def _is_plain(status: os.stat_result) -> bool:
    """Whether it is a file with no other name, and so a copy of what is in the cache."""
    return stat_module.S_ISREG(status.st_mode) and status.st_nlink == 1


def _refuse_changed(entry: Entry, status: os.stat_result, *, hardlinks: bool = False) -> None:
    found = signature(status)
    if hardlinks:
        found = found._replace(ctime=entry.signature.ctime)  # links come and go with the object
    if found != entry.signature:
        raise Busy(
            f"{entry.path}: changed while it was committed",
            hint="wait until nothing writes to it, and try again",
        )


def _needs_relink(path: str, cached: str, types: Iterable[str], isdir: bool) -> bool:
    """DVC's rule: a file of any of the configured kinds stays; a single file is linked anew
    unless it is a copy and copies are what its links would be."""
    status = os.lstat(path)
    is_symlink = stat_module.S_ISLNK(status.st_mode)
    is_hardlink = not is_symlink and status.st_nlink > 1
    is_copy = not is_symlink and not is_hardlink
    for kind in types:
        if is_copy and kind in _COPIES:
            return False
        if is_copy and kind == "hardlink" and not status.st_size:
            return False  # no link is made of an empty file
        if is_hardlink and kind == "hardlink":
            return not os.path.samestat(status, os.stat(cached))
        if is_symlink and kind == "symlink":
            return os.readlink(path) != cached
        if is_copy and not isdir:
            return True
    return True


def _present(current: Observed | None) -> Mapping[str, str]:
    if current is None:
        return {}
    return {entry.relpath: entry.md5 for entry in current.entries}


def _require(workspace: Workspace, key: str, needed: Iterable[str], legacy: bool) -> None:
    cache = workspace.cache
    missing = tuple(md5 for md5 in sorted(set(needed)) if not cache.exists(md5, legacy=legacy))
    if missing:
        raise MissingObjects(key, missing)


def _refuse_loss(
    workspace: Workspace, current: Observed | None, names: set[str], legacy: bool
) -> None:
    for entry in current.entries if current else ():
        if entry.relpath in names and not workspace.cache.exists(entry.md5, legacy=legacy):
            raise InvalidInput(
                f"{entry.path}: would be lost, since its content is not in the cache",
                hint="commit it first, or use --force",
            )


def _apply(
    workspace: Workspace,
    path: str,
    deleted: Iterable[str],
    needed: Mapping[str, str],
    digest: Digest,
) -> dict[str, tuple[Signature, str]]:
    """Delete and link; the signatures of what was made, by relpath."""
    types = list(workspace.config.link_types)
    temporary = _temporary_folder(workspace, path)
    if digest.isdir and temporary and not os.path.lexists(path):
        cache = workspace.cache
        objects = {n: cache.path(md5, legacy=digest.legacy) for n, md5 in needed.items()}
        made = new_folder.make(path, objects, types, temporary)
        return {name: (made[name], md5) for name, md5 in needed.items()}
    for name in deleted:
        if name:
            remove(os.path.join(path, name))
    if digest.isdir:
        os.makedirs(path, exist_ok=True)
    known: dict[str, tuple[Signature, str]] = {}
    folders: set[str] = set()
    for name, md5 in needed.items():
        target = f"{path}/{name}" if name else path
        folder = os.path.dirname(target)
        if folder not in folders:
            _make_folder(folder, path)
            folders.add(folder)
        cached = workspace.cache.path(md5, legacy=digest.legacy)
        try:
            make_link(cached, target, types, temporary)
        except IsADirectoryError:
            _remove_empty_folders(target)
            make_link(cached, target, types, temporary)
        if digest.isexec:
            set_executable(target)
        known[name] = (signature(os.stat(target)), md5)
    return known


def _make_folder(folder: str, top: str) -> None:
    """Make `folder`, refusing to write through a link below `top`, which would leave it."""
    os.makedirs(folder, exist_ok=True)
    step = folder
    while len(step) > len(top):
        if os.path.islink(step):
            raise InvalidInput(
                f"{step}: a link stands where a tracked folder has a folder of its own",
                hint="remove the link",
            )
        step = os.path.dirname(step)


def _remove_empty_folders(path: str) -> None:
    for top, _, files in os.walk(path, topdown=False):
        if files:
            raise InvalidInput(
                f"{path}: a folder with ignored files in it stands where a file belongs",
                hint="move it away",
            )
        os.rmdir(top)


def _temporary_folder(workspace: Workspace, path: str) -> str | None:
    """Where files under way stay out of users' folders: `.mlctl/tmp`, if it is the same device."""
    folder = os.path.join(workspace.config.local_dir, "tmp")
    with suppress(OSError):
        _sweep(folder)
        make_local_dir(workspace.config.local_dir)
        os.makedirs(folder, exist_ok=True)
        near = path
        while not os.path.exists(near):
            near = os.path.dirname(near)
        if os.stat(folder).st_dev == os.stat(near).st_dev:
            return folder
    return None


def _sweep(folder: str) -> None:
    """Delete what killed processes left there a day ago or more."""
    with suppress(FileNotFoundError), os.scandir(folder) as scan:
        for entry in scan:
            if entry.stat(follow_symlinks=False).st_mtime < time.time() - 86_400:
                remove(entry.path)


def _remember(
    workspace: Workspace, key: str, known: Mapping[str, tuple[Signature, str]], legacy: bool
) -> None:
    """Look once more, so that the next look is free."""
    observe(
        workspace.root,
        key,
        workspace.state,
        workspace.ignore,
        legacy=legacy,
        object_path=lambda md5: workspace.cache.path(md5, legacy=legacy),
        known=known,
    )
