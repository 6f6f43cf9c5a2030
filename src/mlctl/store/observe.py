"""What lies in the workspace now: digests of files and folders, hashed only where they changed."""

from __future__ import annotations

import json
import os
import stat as stat_module
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
from mlctl.store.walked import Walked, WalkedFile, walk

ObjectPath = Callable[[str], str]
TakeIn = Callable[[Sequence[File]], Sequence[str | None]]
Known = Mapping[str, tuple[Signature, str]]

_ATTEMPTS = 3
_WORTH_WAITING = 8 << 20  # bytes to hash, beyond which a wait of MARGIN pays
_WORTH_THREADS = 1 << 20  # bytes: smaller files keep the interpreter's lock busy anyway


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
    item = WalkedFile("", path, signature(status))
    before = context.state.last(path, legacy=context.legacy)
    fresh = before is None or before[0] != item.signature
    md5 = _known_md5(item, known.get("") or before, context)
    if md5 is None:
        began = _wait_until_settled([item], began)
        item, md5 = _hash(item, context.legacy)
    sign = item.signature
    if fresh:
        context.state.put_many([(path, sign, md5)], began=began, legacy=context.legacy)
    if sign != signature(status):  # it changed while it was hashed
        status = os.stat(path)
    executable = is_executable(status.st_mode)
    digest = Digest(md5, size=sign.size, isexec=executable, legacy=context.legacy)
    entry = Entry("", md5, sign.size, path, sign)
    return Observed(key, path, digest, lambda: (entry,), lambda: {"": sign})


def _folder(key: str, path: str, ignore: Ignore, context: _Context, known: Known) -> Observed:
    walked = walk(path, key, ignore)
    runs = walked.executables
    found = context.state.get_folder(path, walked.signature(), legacy=context.legacy)
    if found is not None:
        md5, size, nfiles = found
        digest = Digest(md5, size=size, nfiles=nfiles, legacy=context.legacy)
        return Observed(
            key, path, digest, lambda: _examine(walked, context, {})[1], walked.signatures, runs
        )
    digest, entries, walked = _examine(walked, context, known)
    return Observed(key, path, digest, lambda: entries, walked.signatures, runs)


def _examine(
    walked: Walked, context: _Context, known: Known
) -> tuple[Digest, tuple[Entry, ...], Walked]:
    """Digest and entries of a folder, hashing what is not known; remembers the result.

    The files come back too, as they were when they were hashed.
    """
    began = time.time_ns()
    hashes, unknown = _known_hashes(walked, context, known)
    fresh = [*unknown, *(f for f in walked if f.relpath in known)] if known else unknown
    began = _wait_until_settled(fresh, began)
    before = {item.relpath: item.signature for item in unknown}
    changed: dict[str, Signature] = {}
    for item, md5 in _hash_all(unknown, context):
        hashes[item.relpath] = md5
        if item.signature != before[item.relpath]:
            changed[item.relpath] = item.signature
    walked = walked.replaced(changed)
    entries = tuple(
        sorted(
            Entry(f.relpath, hashes[f.relpath], f.signature.size, f.path, f.signature)
            for f in walked
        )
    )
    data = tree_bytes((entry.relpath, entry.md5) for entry in entries)
    size = sum(entry.size for entry in entries)
    digest = Digest(tree_id(data), size=size, nfiles=len(entries), legacy=context.legacy)
    _remember(walked, entries, digest, context, began)
    return digest, entries, walked


def _known_hashes(
    walked: Walked, context: _Context, known: Known
) -> tuple[dict[str, str], list[WalkedFile]]:
    """The hashes that need no reading, by name, and the files of which none is known."""
    previous = {**context.state.get_listing(walked.path, legacy=context.legacy), **known}
    hashes: dict[str, str] = {}
    unknown: list[WalkedFile] = []
    for item in walked:
        md5 = _known_md5(item, previous.get(item.relpath), context)
        if md5 is None:
            unknown.append(item)
        else:
            hashes[item.relpath] = md5
    return hashes, unknown


def _remember(
    walked: Walked, entries: Sequence[Entry], digest: Digest, context: _Context, began: int
) -> None:
    settled = [entry for entry in entries if is_settled(entry.signature, began)]
    listing = json.dumps([(entry.relpath, entry.md5, *entry.signature) for entry in settled])
    sign = walked.signature() if len(settled) == len(entries) else None
    folder = Folder(sign, digest.md5, digest.size or 0, digest.nfiles or 0, listing)
    context.state.put_folder(walked.path, folder, legacy=context.legacy)


def _wait_until_settled(files: Sequence[WalkedFile], began: int) -> int:
    """Wait a tick where that saves hashing much again; the moment from which reading begins."""
    heavy = len(files) > 1000 or sum(f.signature.size for f in files) > _WORTH_WAITING
    if heavy and not all(is_settled(f.signature, began) for f in files):
        time.sleep(MARGIN * 1.5e-9)
        return time.time_ns()
    return began


def _hash_all(files: Sequence[WalkedFile], context: _Context) -> list[tuple[WalkedFile, str]]:
    small = [f for f in files if f.signature.size <= LARGEST]
    if context.take_in is None or len(small) < WORTH_IT:
        return _hash_here(files, context.legacy)
    md5s = context.take_in([File(item.path, item.signature) for item in small])
    taken = [(item, md5) for item, md5 in zip(small, md5s, strict=True) if md5 is not None]
    done = {item.relpath for item, _ in taken}
    return [*taken, *_hash_here([f for f in files if f.relpath not in done], context.legacy)]


def _hash_here(files: Sequence[WalkedFile], legacy: bool) -> list[tuple[WalkedFile, str]]:
    big = [f for f in files if f.signature.size >= _WORTH_THREADS]
    if len(big) < 2:
        return [_hash(item, legacy) for item in files]
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and seldom needed

    small = [f for f in files if f.signature.size < _WORTH_THREADS]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        hashed = pool.map(lambda item: _hash(item, legacy), big)
        return [*(_hash(item, legacy) for item in small), *hashed]


def _hash(item: WalkedFile, legacy: bool) -> tuple[WalkedFile, str]:
    """The hash, and the file as it was while it was read. Raises Busy where it keeps changing."""
    for _ in range(_ATTEMPTS):
        md5 = file_md5_dos2unix(item.path) if legacy else file_md5(item.path)
        sign = signature(os.stat(item.path))
        if sign == item.signature:
            return item, md5
        item = item._replace(signature=sign)
    raise Busy(f"{item.path}: is being written by another program", hint="wait until it is done")


def _known_md5(
    item: WalkedFile, before: tuple[Signature, str] | None, context: _Context
) -> str | None:
    """The hash from before, if the file is the same, or by inode still the same cache object."""
    if before is None:
        return None
    if before[0] == item.signature:
        return before[1]
    if context.object_path is None:
        return None
    try:
        status = os.stat(item.path)
        if stat_module.S_IMODE(status.st_mode) != PROTECTED or signature(status) != item.signature:
            return None
        same = os.path.samestat(os.stat(context.object_path(before[1])), status)
    except OSError:
        return None
    return before[1] if same else None
