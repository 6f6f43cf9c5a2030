"""ULIDs: ids that sort by the time they were made (the ULID spec: 48 bits of ms, 80 of chance)."""

from __future__ import annotations

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
LENGTH = 26
TIME_LENGTH = 10
RANDOM_BYTES = 10

_VALUE = {letter: number for number, letter in enumerate(ALPHABET)}
_FORM = re.compile(rf"[0-7][{ALPHABET}]{{25}}")
_RANDOM_BITS = 80


def new_ulid(seconds: float, randomness: bytes, *, last: str | None = None) -> str:
    """The ULID of a moment (seconds since 1970) and 10 random bytes.

    Given the `last` one, the new one is greater than it even within one millisecond, and where the
    clock went backwards: it is then its successor. Raises ValueError for a time before 1970 or
    after the year 10889, and for other than 10 bytes.
    """
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"a ULID takes {RANDOM_BYTES} random bytes, not {len(randomness)}")
    milliseconds = int(seconds * 1000)
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"no ULID for the time {seconds}")
    number = milliseconds << _RANDOM_BITS | int.from_bytes(randomness, "big")
    if last is not None and milliseconds <= _number(last) >> _RANDOM_BITS:
        number = _number(last) + 1
    return _text(number)


def short_form(ulid: str) -> str:
    """The six characters by which people name it: the first ones that are random."""
    return ulid[10:16]


def is_ulid(text: str) -> bool:
    """Whether `text` is a ULID in its canonical upper case."""
    return _FORM.fullmatch(text) is not None


def ulid_seconds(ulid: str) -> float:
    """The moment in a ULID, in seconds since 1970, to the millisecond."""
    return (_number(ulid) >> _RANDOM_BITS) / 1000


def _number(ulid: str) -> int:
    if not is_ulid(ulid):
        raise ValueError(f"{ulid!r} is no ULID")
    number = 0
    for letter in ulid:
        number = number << 5 | _VALUE[letter]
    return number


def _text(number: int) -> str:
    if number >> 128:
        raise ValueError("no ULID comes after the last one")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
