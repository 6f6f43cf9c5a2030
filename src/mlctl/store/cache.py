"""DVC's cache: objects by their hash, as plain read-only files.

`<cache.dir>/files/md5/ab/cdef…`, and for DVC 2 hashes `<cache.dir>/ab/cdef…`. A mode of 0444 means
*trusted*: DVC and mlctl do not hash such an object again. So that not even a power cut leaves a
torn object that is trusted, an object gets its name and a writable mode first, and 0444 only after
its bytes have reached the disk (`flush`, one call for a whole batch, since a sync for each of many
small files would cost more than the copy). Whoever meets an object that was not flushed hashes it,
and deletes it if it is torn, as DVC does.
"""

from __future__ import annotations

import hashlib
import os
import stat as stat_module
import threading
import time
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress

from mlctl.adapters.files import sync_folder
from mlctl.errors import Busy, InvalidInput, NotAble
from mlctl.store import intake
from mlctl.store.config import Config
from mlctl.store.digest import Digest
from mlctl.store.hashing import file_md5, file_md5_dos2unix
from mlctl.store.intake import File
from mlctl.store.links import PROTECTED, copy_file, protect, replacing, without_links
from mlctl.store.observed import Entry, Observed
from mlctl.store.state import Signature, State, is_settled, signature
from mlctl.store.syncing import SyncBegun, sync_file, sync_file_system
from mlctl.store.tree import TreeEntry, parse_tree, tree_bytes

_SHARED_MODE = stat_module.S_ISGID | 0o775
_SYNC_EACH = 8  # up to so many files a sync of each is cheaper than one of the whole file system
_WORTH_REMEMBERING = 500  # files of a folder, from which on its completeness is remembered
_NOTHING = Signature(0, 0, 0, 0)


class MissingObjects(NotAble):
    """Objects that are needed are not in the cache; `missing` names them."""

    def __init__(self, what: str, missing: tuple[str, ...]) -> None:
        count = f"{len(missing)} files" if len(missing) > 1 else f"object {missing[0]}"
        super().__init__(f"{what}: {count} not in the cache", hint="fetch with `mlctl data pull`")
        self.missing = missing


class Cache:
    """The cache of one repository; threads may share it."""

    def __init__(self, config: Config, state: State | None = None) -> None:
        self.config = config
        self._state = state
        self._places = {
            False: os.path.join(config.cache_dir, "files", "md5"),
            True: config.cache_dir,
        }
        self._folders: set[str] = set()
        self._named = False
        self._unflushed: dict[str, None] = {}
        self._begun: SyncBegun | None = None
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def path(self, md5: str, *, legacy: bool = False) -> str:
        """Where the object lies, whether it exists or not."""
        return f"{self._places[legacy]}/{md5[:2]}/{md5[2:]}"

    def exists(self, md5: str, *, legacy: bool = False) -> bool:
        """Whether the object is there and sound; one that is not sound is deleted."""
        path = self.path(md5, legacy=legacy)
        if path in self._unflushed:
            return True
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if stat_module.S_IMODE(status.st_mode) == PROTECTED:
            return True
        return self._check(path, md5.removesuffix(".dir"), signature(status), legacy)

    def has(self, digest: Digest) -> bool:
        """Whether the object is there, and for a folder every file that it lists."""
        if not self.exists(digest.md5, legacy=digest.legacy):
            return False
        if not digest.isdir:
            return True
        began = time.time_ns()
        sign, settled = self._folders_signature(digest, began)
        name = f"{'legacy/' if digest.legacy else ''}{digest.md5}"
        if self._state is not None and sign and self._state.get_complete(name) == sign:
            return True
        try:
            entries = self.tree(digest.md5, legacy=digest.legacy)
        except (MissingObjects, InvalidInput):
            return False
        wanted = sorted({entry.md5 for entry in entries})
        if not all(self.exists(md5, legacy=digest.legacy) for md5 in wanted):
            return False
        if self._state is not None and settled:
            self._state.put_complete(name, sign)
        return True

    def tree(self, md5: str, *, legacy: bool = False) -> tuple[TreeEntry, ...]:
        """The listing of a folder. Raises MissingObjects, InvalidInput for one that is damaged."""
        try:
            with open(self.path(md5, legacy=legacy), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise MissingObjects("the listing of a folder", (md5,)) from None
        return parse_tree(data, md5)

    def take_in(self, files: Sequence[File]) -> list[str | None]:
        """Hash small files and put them into the cache in one pass: what a commit would do later.

        None for a file that was left out; see `intake`. A sync of what is new begins at once.
        """
        if self.config.shared or self.config.link_types[0] == "hardlink":
            return [None] * len(files)  # modes and links of their own
        taken = intake.take_in(files, self._places[False])
        self._note(self.path(item.md5) for item in taken if item is not None and item.is_new)
        with self._lock:  # the disk works while we go on
            self._begun = SyncBegun(self.config.cache_dir, frozenset(self._unflushed))
        return [None if item is None else item.md5 for item in taken]

    def note_new(self, md5s: Iterable[str]) -> None:
        """Objects were put in place, verified: the next `flush` makes them safe and trusted."""
        self._note(self.path(md5) for md5 in md5s)

    def commit(self, observed: Observed, *, hardlink: bool = False, flush: bool = True) -> None:
        """Put what was observed into the cache: the files first, then the folder's listing.

        What exists is not written again. `hardlink` makes the workspace's own file the object where
        that is possible. With `flush=False` the caller calls `flush` later, once for several
        commits. Raises Busy where a file is no longer as it was observed.
        """
        legacy = observed.digest.legacy
        files = {entry.md5: entry for entry in observed.entries}
        for md5, entry in files.items():
            if not self.exists(md5, legacy=legacy):
                self._add_file(entry, self.path(md5, legacy=legacy), hardlink)
        if observed.digest.isdir and not self.exists(observed.digest.md5, legacy=legacy):
            listing = tree_bytes((entry.relpath, entry.md5) for entry in observed.entries)
            self._add_bytes(listing, self.path(observed.digest.md5, legacy=legacy))
        if flush:
            self.flush()

    def adopt(self, temporary: str, md5: str, *, legacy: bool = False) -> None:
        """Give a file of the cache's own file system the name of the object that it was verified to
        be; `flush` makes it trusted."""
        path = self.path(md5, legacy=legacy)
        self._make_folder(os.path.dirname(path))
        os.rename(temporary, path)
        self._note([path])

    def adopt_bytes(self, data: bytes, md5: str, *, legacy: bool = False) -> None:
        """Put in the bytes of an object that were verified."""
        self._add_bytes(data, self.path(md5, legacy=legacy))

    def flush(self) -> None:
        """Bring the objects written since the last flush to the disk, and mark them as trusted.

        One thread at a time: an object that another thread has marked already, and then made
        executable through its link, must not be marked again.
        """
        with self._flushing:
            with self._lock:
                paths = list(self._unflushed)
                begun, self._begun = self._begun, None
            if not paths:
                return
            done = begun.wait() if begun else frozenset()
            left = [path for path in paths if path not in done]
            if len(left) <= _SYNC_EACH or not sync_file_system(self.config.cache_dir):
                for path in left:
                    sync_file(path)
                self._sync_names(left)
            for path in paths:
                protect(path)
            with self._lock:
                for path in paths:
                    self._unflushed.pop(path, None)

    def _sync_names(self, paths: Iterable[str]) -> None:
        """A lock must not come to the disk before the names of the objects that it refers to."""
        folders = {os.path.dirname(path) for path in paths}
        for folder in [*folders, *{os.path.dirname(folder) for folder in folders}]:
            sync_folder(folder)
        if not self._named:  # the cache itself may be new
            folder = self._places[False]
            while len(folder) >= len(self.config.cache_dir):
                folder = os.path.dirname(folder)
                sync_folder(folder)
            self._named = True

    def _check(self, path: str, md5: str, sign: Signature, legacy: bool) -> bool:
        began = time.time_ns()
        actual = self._state.get(path, sign, legacy=legacy) if self._state else None
        if actual is None:
            try:
                actual = file_md5_dos2unix(path) if legacy else file_md5(path)
            except FileNotFoundError:
                return False
        if actual != md5:
            with suppress(FileNotFoundError):
                os.unlink(path)
            return False
        sync_file(path)  # whoever made it may not have come to that
        protect(path)
        if self._state is not None:
            with suppress(FileNotFoundError):
                now = signature(os.stat(path))
                if now[0] == sign.mtime:
                    self._state.put_many([(path, now, md5)], began=began, legacy=legacy)
        return True

    def _add_file(self, entry: Entry, path: str, hardlink: bool) -> None:
        self._make_folder(os.path.dirname(path))
        try:
            with replacing(path) as temporary:
                if hardlink and entry.size and _link(entry.path, temporary):
                    # the link itself is a change, whose time is new
                    after = signature(os.stat(temporary))._replace(ctime=entry.signature.ctime)
                else:
                    after = signature(copy_file(entry.path, temporary))
                if after != entry.signature:
                    raise Busy(
                        f"{entry.path}: changed while it was put into the cache",
                        hint="wait until nothing writes to it, and try again",
                    )
        except FileNotFoundError as error:
            if error.filename != entry.path:
                raise
            raise Busy(f"{entry.path}: vanished while it was put into the cache") from None
        self._note([path])

    def _add_bytes(self, data: bytes, path: str) -> None:
        self._make_folder(os.path.dirname(path))
        with replacing(path) as temporary, open(temporary, "xb") as file:
            file.write(data)
        self._note([path])

    def _note(self, paths: Iterable[str]) -> None:
        with self._lock:
            self._unflushed.update(dict.fromkeys(paths))

    def _make_folder(self, folder: str) -> None:
        if folder in self._folders:
            return
        if not self.config.shared:
            os.makedirs(folder, exist_ok=True)
        elif not os.path.isdir(folder):
            parent = os.path.dirname(folder)
            self._make_folder(parent)
            with suppress(FileExistsError):
                os.mkdir(folder)
            with suppress(OSError):
                os.chmod(folder, _SHARED_MODE)
        self._folders.add(folder)

    def _folders_signature(self, tree: Digest, began: int) -> tuple[bytes, bool]:
        """What changes when the listing `tree` does, or an object comes or goes.

        That is the listing's own signature and those of all folders of the cache, since a large
        tree has files in nearly all of them: so the listing need not be parsed to know which.
        Empty for a tree that is not worth it. Also whether all of them are settled.
        """
        if self._state is None or (tree.nfiles or 0) < _WORTH_REMEMBERING:
            return b"", False
        numbers = array("q")
        settled = True
        place = self._places[tree.legacy]
        for path in (
            self.path(tree.md5, legacy=tree.legacy),
            *(f"{place}/{n:02x}" for n in range(256)),
        ):
            try:
                sign = signature(os.stat(path))
            except FileNotFoundError:
                sign = _NOTHING
            settled = settled and is_settled(sign, began)
            numbers.extend(sign)
        return hashlib.blake2b(numbers.tobytes(), digest_size=16).digest(), settled


def _link(source: str, target: str) -> bool:
    try:
        os.link(without_links(source), target)
    except OSError:
        return False
    return True
