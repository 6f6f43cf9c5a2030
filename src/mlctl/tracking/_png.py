"""Arrays of numpy or torch as PNG, with nothing but zlib."""

from __future__ import annotations

import struct
import zlib
from typing import Any

_COLORS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels, and PNG's color type


def array_png(array: Any) -> bytes:
    """The PNG of an array of (height, width) or (height, width, channels), or channels first.

    Whole numbers are taken as 0 to 255, others as 0 to 1; what lies beyond is cut off. Raises
    ValueError for other shapes.
    """
    pixels = _channels_last(_on_cpu(array))
    if pixels.dtype.kind == "b":
        pixels = pixels * 255.0
    elif pixels.dtype.kind not in "iu":
        pixels = pixels * 255.0 + 0.5
    pixels = pixels.clip(0, 255)
    pixels[pixels != pixels] = 0  # NaN
    pixels = pixels.astype("uint8")
    height, width, channels = pixels.shape
    data = pixels.tobytes()
    row = width * channels
    rows = b"".join(b"\0" + data[at : at + row] for at in range(0, len(data), row))
    head = struct.pack(">IIBBBBB", width, height, 8, _COLORS[channels], 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _on_cpu(array: Any) -> Any:
    """The array as numpy's; a tensor of torch leaves its device and its graph."""
    if not hasattr(array, "detach"):
        return array
    array = array.detach().cpu()
    try:
        return array.numpy()
    except TypeError:  # a type that numpy does not have: bfloat16
        return array.float().numpy()


def _channels_last(array: Any) -> Any:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(f"no image has the shape {tuple(array.shape)}")
    if array.shape[2] not in _COLORS and array.shape[0] in _COLORS:
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in _COLORS:
        raise ValueError(f"an image has 1 to 4 channels, not {array.shape[2]}")
    return array


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
