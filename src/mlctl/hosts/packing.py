"""Packs: objects one after the other on one stream, each with its id and size before it.

Many small files so cost no round trips of their own; `agent.objects.ENTRY` is the format.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from mlctl.errors import Busy
from mlctl.hosts.agent.objects import ENTRY, Damaged, copy_verified
from mlctl.store.links import temporary_name

_OBJECT = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
PIECE = 1 << 18  # bytes of a frame
Source = str | bytes  # an object to send: the file that holds it, or its bytes


def pack(md5s: Iterable[str], sources: Mapping[str, Source]) -> Iterator[bytes]:
    """The pack of `md5s` in pieces of about PIECE bytes. Raises Busy where a file changed."""
    buffer = bytearray()
    for md5 in md5s:
        for data in _object(md5, sources[md5]):
            buffer += data
            if len(buffer) >= PIECE:
                yield bytes(buffer)
                buffer.clear()
    if buffer:
        yield bytes(buffer)


def _object(md5: str, source: Source) -> Iterator[bytes]:
    name, _, suffix = md5.partition(".")
    mark = b".dir" if suffix else b""
    if isinstance(source, bytes):
        yield ENTRY.pack(name.encode(), mark, len(source)) + source
        return
    with open(source, "rb", buffering=0) as file:
        left = size = os.fstat(file.fileno()).st_size
        yield ENTRY.pack(name.encode(), mark, size)
        while left:
            data = file.read(min(left, PIECE))
            if not data:
                raise Busy(f"{source}: changed while it was sent", hint="run again")
            left -= len(data)
            yield data


def unpack(
    pieces: Iterable[bytes], md5s: Iterable[str], place: Callable[[str], str]
) -> Iterator[str]:
    """Write each object of a pack to the path `place(md5)`; yields the ids of those that are whole.

    The file is there only when its bytes were verified. Raises Damaged, also for an object that is
    not one of `md5s`, and where one of them did not come.
    """
    wanted = set(md5s)
    if not all(map(_OBJECT.fullmatch, wanted)):  # they become paths, and may be a host's words
        raise Damaged("it named what is no object")
    stream = _Stream(pieces)
    left = set(wanted)
    while header := stream.read(ENTRY.size):
        name, mark, size = ENTRY.unpack(header)
        md5 = (name + mark.rstrip(b"\0")).decode("ascii", "replace")
        if md5 not in wanted:
            raise Damaged("it sent what it was not asked for")
        target = place(md5)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        temporary = os.path.join(os.path.dirname(target), temporary_name())
        try:
            with open(temporary, "xb") as file:
                copy_verified(stream.some, size, md5, file)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        left.discard(md5)
        yield md5
    if left:
        raise Damaged("it did not send all that it was asked for")


class _Stream:
    """Pieces as one stream of bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def some(self, most: int) -> memoryview:
        """From 1 to `most` bytes, or none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return self._rest
            self._rest = memoryview(piece)
        data, self._rest = self._rest[:most], self._rest[most:]
        return data

    def read(self, size: int) -> bytes:
        """`size` bytes; none at the end. Raises Damaged in between."""
        data = bytearray()
        while len(data) < size:
            piece = self.some(size - len(data))
            if not piece:
                if data:
                    raise Damaged("a pack was cut off")
                break
            data += piece
        return bytes(data)
