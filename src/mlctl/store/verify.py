"""Hashing cache objects anew, whatever their mode says, in threads.

`0444` means *trusted* to DVC and mlctl: neither looks at such an object again. Here all are read.
"""

from __future__ import annotations

import os
import re
import stat as stat_module
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

from mlctl.store.cache import Cache
from mlctl.store.hashing import Tick, file_md5, file_md5_dos2unix, no_tick
from mlctl.store.links import PROTECTED

Problem = Literal["missing", "damaged", "torn", "unreadable"]
Progress = Callable[[int, int], None]  # bytes and objects since the last call

_NAME = re.compile(r"[0-9a-f]{30}(?:\.dir)?")
_PREFIX = re.compile(r"[0-9a-f]{2}")
# What a thread takes at a time: handing out each small file would cost more than its hash.
_BATCH_BYTES, _BATCH_FILES = 4 << 20, 256


class Object(NamedTuple):
    """One object of the cache; see `Cache.path`."""

    md5: str
    legacy: bool = False


class Flaw(NamedTuple):
    """What is wrong with an object. *Torn* is one that nobody marked as trusted: its writing was
    cut off. `detail` is the hash that it has, or why it cannot be read.
    """

    object: Object
    problem: Problem
    detail: str = ""


class _File(NamedTuple):
    object: Object
    path: str
    size: int
    mode: int


def objects_in(cache: Cache) -> Iterator[Object]:
    """Every object that lies in the cache, of DVC 3 and of DVC 2."""
    for legacy in (False, True):
        top = os.path.dirname(os.path.dirname(cache.path("00" * 16, legacy=legacy)))
        for prefix in sorted(_names(top)):
            if _PREFIX.fullmatch(prefix):
                for name in _names(os.path.join(top, prefix)):
                    if _NAME.fullmatch(name):
                        yield Object(prefix + name, legacy)


def verify(
    cache: Cache, objects: Iterable[Object], *, jobs: int, progress: Progress
) -> tuple[list[Flaw], int]:
    """The flaws of `objects`, and how many bytes were hashed."""
    flaws, files = [], []
    for item in objects:
        path = cache.path(item.md5, legacy=item.legacy)
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            flaws.append(Flaw(item, "missing"))
        except OSError as error:
            flaws.append(Flaw(item, "unreadable", error.strerror or str(error)))
        else:
            files.append(_File(item, path, status.st_size, status.st_mode))
    files.sort(key=lambda file: (-file.size, file.path))  # no thread ends alone with a big one

    stop = threading.Event()

    def check(batch: list[_File]) -> list[Flaw]:
        counted = 0

        def tick(size: int) -> None:
            nonlocal counted
            if stop.is_set():
                raise _Stopped
            counted += size
            progress(size, 0)

        found = [flaw for file in batch if (flaw := _check(file, tick)) is not None]
        progress(max(sum(file.size for file in batch) - counted, 0), len(batch))
        return found

    with ThreadPoolExecutor(jobs, "mlctl-verify") as pool:
        try:
            for found in pool.map(check, _batches(files)):
                flaws += found
        except BaseException:  # Ctrl-C must not wait for the end of a big file
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(flaws), sum(file.size for file in files)


def object_md5(path: str, *, legacy: bool, tick: Tick = no_tick) -> str:
    """The hash that names an object of these bytes, without `.dir`."""
    return file_md5_dos2unix(path, tick) if legacy else file_md5(path, tick)


class _Stopped(Exception):
    """The result is wanted no more."""


def _check(file: _File, tick: Callable[[int], None]) -> Flaw | None:
    hash_file = file_md5_dos2unix if file.object.legacy else file_md5
    try:
        actual = hash_file(file.path, tick)
    except FileNotFoundError:  # somebody deleted it since
        return Flaw(file.object, "missing")
    except OSError as error:
        return Flaw(file.object, "unreadable", error.strerror or str(error))
    if actual == file.object.md5.removesuffix(".dir"):
        return None
    trusted = stat_module.S_IMODE(file.mode) == PROTECTED
    return Flaw(file.object, "damaged" if trusted else "torn", f"its md5 is {actual}")


def _batches(files: Iterable[_File]) -> Iterator[list[_File]]:
    batch: list[_File] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
