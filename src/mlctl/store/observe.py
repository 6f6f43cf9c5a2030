"""What lies in the workspace now: digests of files and folders, hashed only where they changed."""

from __future__ import annotations

import hashlib
import json
import os
import stat as stat_module
import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mlctl.errors import Busy, InvalidInput, NotAble
from mlctl.store.digest import Digest
from mlctl.store.hashing import file_md5, file_md5_dos2unix, is_executable
from mlctl.store.ignore import Ignore
from mlctl.store.intake import LARGEST, File
from mlctl.store.links import PROTECTED
from mlctl.store.observed import Entry, Observed
from mlctl.store.slices import WORTH_IT
from mlctl.store.state import MARGIN, Folder, Signature, State, is_settled, signature
from mlctl.store.tree import tree_bytes, tree_id

ObjectPath = Callable[[str], str]
TakeIn = Callable[[Sequence[File]], Sequence[str | None]]
Known = Mapping[str, tuple[Signature, str]]

_ATTEMPTS = 3
_WORTH_WAITING = 8 << 20  # bytes to hash, beyond which a wait of MARGIN pays
_WORTH_THREADS = 1 << 20  # bytes: smaller files keep the interpreter's lock busy anyway


class _File(NamedTuple):
    relpath: str
    path: str
    status: os.stat_result
    signature: Signature


@dataclass(frozen=True, slots=True)
class _Context:
    state: State
    legacy: bool
    object_path: ObjectPath | None
    take_in: TakeIn | None = None


def observe(
    root: str,
    key: str,
    state: State,
    ignore: Ignore,
    *,
    legacy: bool = False,
    object_path: ObjectPath | None = None,
    known: Known | None = None,
    take_in: TakeIn | None = None,
) -> Observed | None:
    """What lies at `key` (from `root`, or absolute), or None where nothing does.

    A link to nothing counts as nothing. `legacy` takes the hash of DVC 2. `object_path` (of the
    cache) saves hashing links into the cache whose change time alone is new, because another link
    was made. `known` says what the caller has just written there: relpath -> (signature, md5).
    `take_in` (of the cache) is for what will be committed: it hashes many small files faster.
    Raises InvalidInput for what DVC refuses (a `.dvcignore` in a folder, a pipe or device), Busy
    for a file that is being written.
    """
    path = os.path.normpath(os.path.join(root, key))
    context = _Context(state, legacy, object_path, None if legacy else take_in)
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if stat_module.S_ISDIR(status.st_mode):
            return _folder(key, path, ignore, context, known or {})
        if stat_module.S_ISREG(status.st_mode):
            return _file(key, path, status, context, known or {})
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Busy(f"{error.filename}: vanished while it was read") from None
    except PermissionError as error:
        raise NotAble(f"{error.filename}: may not be read", hint="change its permissions") from None
    raise InvalidInput(f"{path}: neither a file nor a folder")


def _file(key: str, path: str, status: os.stat_result, context: _Context, known: Known) -> Observed:
    began = time.time_ns()
    item = _File("", path, status, signature(status))
    before = context.state.last(path, legacy=context.legacy)
    fresh = before is None or before[0] != item.signature
    md5 = _known_md5(item, known.get("") or before, context)
    if md5 is None:
        began = _wait_until_settled([item], began)
        item, md5 = _hash(item, context.legacy)
    sign = item.signature
    if fresh:
        context.state.put_many([(path, sign, md5)], began=began, legacy=context.legacy)
    executable = is_executable(item.status.st_mode)
    digest = Digest(md5, size=sign.size, isexec=executable, legacy=context.legacy)
    entry = Entry("", md5, sign.size, path, sign)
    return Observed(key, path, digest, lambda: (entry,), lambda: {"": sign})


def _folder(key: str, path: str, ignore: Ignore, context: _Context, known: Known) -> Observed:
    files = [
        _File(relpath, f"{path}/{relpath}", status, signature(status))
        for relpath, status in ignore.walk(key)
    ]
    sign = _folder_signature(files)
    found = context.state.get_folder(path, sign, legacy=context.legacy)
    if found is not None:
        md5, size, nfiles = found
        digest = Digest(md5, size=size, nfiles=nfiles, legacy=context.legacy)
        return Observed(
            key,
            path,
            digest,
            lambda: _examine(path, files, context, {})[1],
            lambda: _signatures(files),
        )
    digest, entries = _examine(path, files, context, known)
    # Not from `files`: they hold every stat, which is most of the memory of a large folder.
    return Observed(key, path, digest, lambda: entries, lambda: _signatures(entries))


def _signatures(items: Iterable[_File | Entry]) -> dict[str, Signature]:
    return {item.relpath: item.signature for item in items}


def _examine(
    path: str, files: Sequence[_File], context: _Context, known: Known
) -> tuple[Digest, tuple[Entry, ...]]:
    """Digest and entries of a folder, hashing what is not known; remembers the result."""
    began = time.time_ns()
    previous = {**context.state.get_listing(path, legacy=context.legacy), **known}
    hashes: dict[str, str] = {}
    unknown: list[_File] = []
    for item in files:
        md5 = _known_md5(item, previous.get(item.relpath), context)
        if md5 is None:
            unknown.append(item)
        else:
            hashes[item.relpath] = md5
    began = _wait_until_settled([*unknown, *(f for f in files if f.relpath in known)], began)
    replaced: dict[str, _File] = {}
    for item, new in _hash_all(unknown, context):
        hashes[item.relpath] = new
        replaced[item.relpath] = item
    final = [replaced.get(item.relpath, item) for item in files]
    entries = tuple(
        sorted(
            Entry(f.relpath, hashes[f.relpath], f.signature.size, f.path, f.signature)
            for f in final
        )
    )
    data = tree_bytes((entry.relpath, entry.md5) for entry in entries)
    size = sum(entry.size for entry in entries)
    digest = Digest(tree_id(data), size=size, nfiles=len(entries), legacy=context.legacy)
    _remember(path, final, hashes, digest, context, began)
    return digest, entries


def _remember(
    path: str,
    files: Sequence[_File],
    hashes: Mapping[str, str],
    digest: Digest,
    context: _Context,
    began: int,
) -> None:
    settled = [item for item in files if is_settled(item.signature, began)]
    listing = json.dumps([(f.relpath, hashes[f.relpath], *f.signature) for f in settled])
    sign = _folder_signature(files) if len(settled) == len(files) else None
    folder = Folder(sign, digest.md5, digest.size or 0, digest.nfiles or 0, listing)
    context.state.put_folder(path, folder, legacy=context.legacy)


def _folder_signature(files: Sequence[_File]) -> bytes:
    """One value for all names and signatures, in the order of the walk: it is stable while no
    folder changes, and any change only costs a closer look."""
    numbers = array("q")
    for item in files:
        numbers.extend(item.signature)
    hasher = hashlib.blake2b(numbers.tobytes(), digest_size=16)
    hasher.update(os.fsencode("\0".join([item.relpath for item in files])))
    return hasher.digest()


def _wait_until_settled(files: Sequence[_File], began: int) -> int:
    """Wait a tick where that saves hashing much again; the moment from which reading begins."""
    heavy = len(files) > 1000 or sum(f.signature.size for f in files) > _WORTH_WAITING
    if heavy and not all(is_settled(f.signature, began) for f in files):
        time.sleep(MARGIN * 1.5e-9)
        return time.time_ns()
    return began


def _hash_all(files: Sequence[_File], context: _Context) -> list[tuple[_File, str]]:
    small = [f for f in files if f.signature.size <= LARGEST]
    if context.take_in is None or len(small) < WORTH_IT:
        return _hash_here(files, context.legacy)
    md5s = context.take_in([File(item.path, item.signature) for item in small])
    taken = [(item, md5) for item, md5 in zip(small, md5s, strict=True) if md5 is not None]
    done = {item.relpath for item, _ in taken}
    return [*taken, *_hash_here([f for f in files if f.relpath not in done], context.legacy)]


def _hash_here(files: Sequence[_File], legacy: bool) -> list[tuple[_File, str]]:
    big = [f for f in files if f.signature.size >= _WORTH_THREADS]
    if len(big) < 2:
        return [_hash(item, legacy) for item in files]
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and seldom needed

    small = [f for f in files if f.signature.size < _WORTH_THREADS]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        hashed = pool.map(lambda item: _hash(item, legacy), big)
        return [*(_hash(item, legacy) for item in small), *hashed]


def _hash(item: _File, legacy: bool) -> tuple[_File, str]:
    """The hash, and the file as it was while it was read. Raises Busy where it keeps changing."""
    for _ in range(_ATTEMPTS):
        md5 = file_md5_dos2unix(item.path) if legacy else file_md5(item.path)
        status = os.stat(item.path)
        sign = signature(status)
        if sign == item.signature:
            return item, md5
        item = _File(item.relpath, item.path, status, sign)
    raise Busy(f"{item.path}: is being written by another program", hint="wait until it is done")


def _known_md5(item: _File, before: tuple[Signature, str] | None, context: _Context) -> str | None:
    """The hash from before, if the file is the same, or by inode still the same cache object."""
    if before is None:
        return None
    if before[0] == item.signature:
        return before[1]
    if context.object_path is None or stat_module.S_IMODE(item.status.st_mode) != PROTECTED:
        return None
    try:
        same = os.path.samestat(os.stat(context.object_path(before[1])), item.status)
    except OSError:
        return None
    return before[1] if same else None
