"""Frames: how a client and the agent speak over one pair of pipes.

A frame is `length (4) kind (1) call (4) payload`, in network byte order; `length` counts the
payload. The agent's frames begin after a line with the client's nonce, so that nothing which a
login shell prints is taken for an answer.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any, Tuple

Frame = Tuple[bytes, int, bytes]

HEADER = struct.Struct(">IcI")
REQUEST, DATA, LINES, STATE, END, ERROR = b"Q", b"D", b"L", b"S", b"E", b"X"
CHUNK = 1 << 18
LARGEST = 1 << 28  # bytes of a payload: what is longer is no frame of ours


class Closed(Exception):
    """The other side is gone; a frame may have been cut off."""


def pack(kind: bytes, call: int, payload: Any = b"") -> bytes:
    """The bytes of one frame; a payload that is not bytes is sent as JSON."""
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        payload = json.dumps(payload, separators=(",", ":")).encode()
    return HEADER.pack(len(payload), kind, call) + bytes(payload)


def read(stream: IO[bytes]) -> Frame:
    """The next `(kind, call, payload)` of a buffered stream. Raises Closed at its end."""
    length, kind, call = HEADER.unpack(_exactly(stream, HEADER.size))
    if length > LARGEST:
        raise Closed("not a frame")
    return kind, call, _exactly(stream, length)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if data is None or len(data) < size:
        raise Closed("the stream ended")
    return data
