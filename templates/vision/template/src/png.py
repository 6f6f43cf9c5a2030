"""8-bit grey PNG files, written and read with the standard library.

Enough for the images that src/fetch.py makes. For images of another origin use Pillow instead.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

MAGIC = b"\x89PNG\r\n\x1a\n"


def write_grey(path: Path, pixels: np.ndarray) -> None:
    """`pixels`: height x width, uint8. The same pixels give the same bytes."""
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    path.write_bytes(MAGIC + b"".join(_chunk(kind, data) for kind, data in parts))


def read_grey(path: Path) -> np.ndarray:
    """Height x width, uint8. Raises ValueError for any other kind of PNG."""
    data = path.read_bytes()
    width, height, *form = struct.unpack(">IIBBBBB", data[16:29])
    if data[:8] != MAGIC or form != [8, 0, 0, 0, 0]:
        raise ValueError(f"{path}: not an 8-bit grey PNG; read it with Pillow")
    packed, at = b"", len(MAGIC)
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        packed += data[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width + 1)
    if rows[:, 0].any():
        raise ValueError(f"{path}: its rows are filtered; read it with Pillow")
    return rows[:, 1:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
