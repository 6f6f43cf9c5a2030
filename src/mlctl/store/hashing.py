"""MD5 of files, as DVC takes it, and the executable bit."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable

CHUNK = 1 << 20
Tick = Callable[[int], None]  # the size of what was read since the last call; may raise
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"
EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def is_executable(mode: int) -> bool:
    """Whether anybody may execute a file of this mode: what DVC writes down as `isexec`."""
    return bool(mode & EXECUTABLE)


def no_tick(_size: int) -> None:
    """Nobody watches."""


def file_md5(path: str | bytes, tick: Tick = no_tick) -> str:
    """The hex MD5 of a file's bytes. The interpreter's lock is free while big chunks are hashed.

    `tick` is told the size of each chunk after the first, and may raise to give up.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(handle, CHUNK)
        digest = hashlib.md5(data, usedforsecurity=False)
        while len(data) == CHUNK:
            data = os.read(handle, CHUNK)
            digest.update(data)
            tick(len(data))
        while data:  # a short read is no proof of the end
            data = os.read(handle, CHUNK)
            digest.update(data)
    finally:
        os.close(handle)
    return digest.hexdigest()


def file_md5_dos2unix(path: str | bytes, tick: Tick = no_tick) -> str:
    r"""The hash of DVC 1 and 2: `\r\n` counts as `\n` in what looks like text.

    Each chunk of 1 MiB is judged by its own first 512 bytes, and a pair that two chunks share is
    kept, exactly as DVC does.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk.replace(b"\r\n", b"\n") if _looks_like_text(chunk[:512]) else chunk)
            tick(len(chunk))
    return digest.hexdigest()


def _looks_like_text(block: bytes) -> bool:
    if b"\x00" in block:
        return False
    return len(block.translate(None, _TEXT)) / len(block) <= 0.30
