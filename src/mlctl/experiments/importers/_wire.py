"""What files of protobuf messages have in common: their fields, and checksums. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Field = tuple[int, int, int | bytes]  # number, wire type, value: bytes but of a varint


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a message, as they stand in it. Raises ValueError for what is none."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"a field of no known kind: {wire}")
        if at + size > end:
            raise ValueError("a field is longer than its message")
        yield number, wire, data[at : at + size]
        at += size


def messages(data: bytes, number: int) -> Iterator[bytes]:
    """The messages, strings or bytes that a message has as the field `number`."""
    for found, wire, value in fields(data):
        if found == number and wire == BYTES and isinstance(value, bytes):
            yield value


def text(data: bytes, number: int) -> str:
    """The last string of the field `number`, or an empty one."""
    found = ""
    for value in messages(data, number):
        found = value.decode("utf-8", "replace")
    return found


def integer(data: bytes, number: int) -> int:
    """The signed integer of the field `number`, or 0."""
    found = 0
    for at, wire, value in fields(data):
        if at == number and wire == VARINT and isinstance(value, int):
            found = _signed(value)
    return found


def numbers(kind: str, value: int | bytes) -> list[float]:
    """The numbers in a field of fixed width, one or packed: `kind` is `f` or `d`."""
    data = value if isinstance(value, bytes) else b""
    return list(struct.unpack(f"<{len(data) // struct.calcsize(kind)}{kind}", data))


def packed_integers(value: int | bytes) -> list[int]:
    """The integers in a field, one or packed."""
    if isinstance(value, int):
        return [_signed(value)]
    found, at = [], 0
    while at < len(value):
        it, at = _varint(value, at)
        found.append(_signed(it))
    return found


def _signed(value: int) -> int:
    """A varint is as long as 64 bits of two's complement."""
    return value - (1 << 64) if value >> 63 else value


def masked_crc32c(data: bytes) -> int:
    """The checksum of TFRecord: Castagnoli's, its bits turned and a constant added."""
    crc, table = 0xFFFFFFFF, _table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number has no end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
