"""Sorted sets of whole numbers as few bytes, and bytes as text: the same on every machine.

zlib is not used: its bytes differ between implementations (zlib, zlib-ng, Apple's).
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
else:
    Words = Any

_HEAD = struct.Struct("<IB")
_WIDEST = 40  # low bits of a gap


def pack(values: Words) -> bytes:
    """`values`, strictly ascending, Rice-coded: their number, the width of the low bits of a gap,
    then all gaps' high parts in unary, then all low bits (Rice 1979).

    Random sets take about 1.5 bits more than log2(range / number) for each value.
    """
    if not values.size:
        return _HEAD.pack(0, 0)
    gaps = np.diff(values, prepend=np.uint64(0)) - np.uint64(1)
    gaps[0] = values[0]
    width = min(range(_WIDEST + 1), key=lambda w: int((gaps >> np.uint64(w)).sum()) + w * gaps.size)
    ends = np.cumsum((gaps >> np.uint64(width)).astype(np.int64) + 1)
    unary = np.ones(int(ends[-1]), dtype=np.uint8)
    unary[ends - 1] = 0
    places = np.arange(width, dtype=np.uint64)[::-1]
    low = (gaps[:, None] >> places & np.uint64(1)).astype(np.uint8)
    bits = np.concatenate([unary, low.reshape(-1)])
    return _HEAD.pack(values.size, width) + np.packbits(bits).tobytes()


def unpack(data: bytes) -> tuple[Words, bytes]:
    """The values that `pack` made these bytes of, and the bytes that follow them.

    Raises ValueError where they are not its own.
    """
    if len(data) < _HEAD.size:
        raise ValueError("the packed numbers are cut off")
    count, width = _HEAD.unpack_from(data)
    if width > _WIDEST:
        raise ValueError("no packed numbers")
    bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=_HEAD.size))
    ends = np.flatnonzero(bits == 0)[:count]
    unary = int(ends[-1]) + 1 if ends.size else 0
    if ends.size < count or unary + count * width > bits.size:
        raise ValueError("the packed numbers are cut off")
    high = np.diff(ends, prepend=-1).astype(np.uint64) - np.uint64(1)
    low = bits[unary : unary + count * width].reshape(count, width).astype(np.uint64)
    places = np.arange(width, dtype=np.uint64)[::-1]
    gaps = (high << np.uint64(width)) + (low << places).sum(axis=1, dtype=np.uint64)
    values = np.cumsum(gaps + np.uint64(1), dtype=np.uint64) - np.uint64(1)
    used = _HEAD.size + (unary + count * width + 7) // 8
    return values, data[used:]


def to_text(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def from_text(text: Any) -> bytes:
    """The bytes behind `to_text`. Raises ValueError for any other text."""
    if not isinstance(text, str):
        raise ValueError("no base64 text")  # noqa: TRY004
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64 text: {error}") from None
