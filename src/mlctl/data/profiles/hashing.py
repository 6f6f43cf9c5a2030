"""A 64-bit hash of values that stays the same: across machines, releases and runs.

Polars' own hash promises no such thing, and a committed sketch must merge with next year's. It is
no secret and no protection: who guesses a value can compute its hash.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
else:
    Words = Any

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 1 << 15  # values at one time: what a processor's near cache holds
_LONG = 256  # bytes of a text from which on BLAKE2 is faster


def mix(words: Words) -> Words:
    """SplitMix64 (Steele, Lea and Flood 2014): a bijection in which each bit hangs on all bits."""
    mixed = words + _GOLDEN
    for start in range(0, mixed.size, _BLOCK):
        part = mixed[start : start + _BLOCK]
        part ^= part >> np.uint64(30)
        part *= np.uint64(0xBF58476D1CE4E5B9)
        part ^= part >> np.uint64(27)
        part *= np.uint64(0x94D049BB133111EB)
        part ^= part >> np.uint64(31)
    return mixed


def of_numbers(values: NDArray[Any]) -> Words:
    """The hashes of whole numbers (int64) or of floats (float64), which differ; -0 counts as 0."""
    if values.dtype.kind == "f":
        return mix((values + 0.0).view(np.uint64) ^ _GOLDEN)
    return mix(values.view(np.uint64))


def of_texts(values: pl.Series) -> Words:
    """The hashes of texts, of which none is null, by their bytes in UTF-8.

    Texts of one length are hashed together, eight bytes at a time: h = mix(h ^ word), from the
    length, the last word filled up with zeros. Long ones are hashed by BLAKE2b.
    """
    lengths = values.str.len_bytes().to_numpy()
    hashes = np.empty(lengths.size, dtype=np.uint64)
    order = np.argsort(lengths, kind="stable")
    steps = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, steps) if lengths.size else []:
        length = int(lengths[rows[0]])
        group = values if rows.size == lengths.size else values.gather(rows)
        hashes[rows] = _long_texts(group) if length > _LONG else _equal_texts(group, length)
    return hashes


def _equal_texts(values: pl.Series, length: int) -> Words:
    joined = values.str.join("")[0].encode("utf-8")
    padded = np.zeros((values.len(), -(-length // 8) * 8), dtype=np.uint8)
    padded[:, :length] = np.frombuffer(joined, np.uint8).reshape(values.len(), length)
    words = padded.view("<u8").astype(np.uint64, copy=False)
    hashes = mix(np.full(values.len(), length, dtype=np.uint64))
    for at in range(words.shape[1]):
        hashes = mix(hashes ^ words[:, at])
    return hashes


def _long_texts(values: pl.Series) -> Words:
    digests = [hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest() for text in values]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64, copy=False)
