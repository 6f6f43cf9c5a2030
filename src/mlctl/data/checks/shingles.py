"""Texts as sets of shingles, and the least hashes of such sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlctl.data.profiles.hashing import mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlctl.data.profiles.hashing import Words

LENGTH = 5  # bytes of a shingle
MOST = 64  # least hashes of a text
_BLOCK = 1 << 11  # texts hashed at one time: what a processor's near cache holds
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIVE = np.uint64((1 << 8 * LENGTH) - 1)
_OTHER_BLANK = r"[^\S ]|  "  # what is more than one plain blank
_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)
_MISSING = np.uint64(1 << 63)  # no shingle has so high a bit


def windows(values: pl.Series) -> tuple[Words, NDArray[np.int64]]:
    """The shingles of each text as 64 bits, one text after the other, and how many each has.

    A text in lower case, with one blank where there are more, has a shingle at each byte but the
    last four; a shorter one has itself. What is missing has one that no text has.
    """
    plain = values.fill_null("").str.to_lowercase()
    if plain.str.contains(_OTHER_BLANK).any():
        plain = plain.str.replace_all(r"\s+", " ")
    lengths = plain.str.len_bytes().to_numpy().astype(np.int64)
    data = (plain.str.join("")[0] or "").encode()
    # Eight bytes from each byte on, of which the first five stay.
    words = np.ndarray(len(data) + 1, dtype="<u8", buffer=data + bytes(8), strides=(1,)) & _FIVE
    counts = np.maximum(lengths - LENGTH + 1, 1)
    ends = np.cumsum(counts)
    skipped = np.cumsum(lengths) - lengths - (ends - counts)
    found = words[np.arange(int(ends[-1]) if ends.size else 0) + np.repeat(skipped, counts)]
    short = np.flatnonzero(lengths < LENGTH)
    kept = (np.uint64(1) << (np.uint64(8) * lengths[short].astype(np.uint64))) - np.uint64(1)
    found[(ends - counts)[short]] &= kept
    found[(ends - counts)[values.is_null().to_numpy()]] = _MISSING
    return found, counts


def least_hashes(values: pl.Series) -> Words:
    """`MOST` rows of least hashes, with a column for each text: two texts agree in each with the
    probability of the Jaccard similarity of their shingles.

    The shingles are hashed once and dealt out to as many bins, of which each keeps its least; an
    empty one borrows from the next that is not.
    """
    found = np.empty((MOST, values.len()), dtype=np.uint64)
    for start in range(0, values.len(), _BLOCK):
        found[:, start : start + _BLOCK] = _least_hashes(values.slice(start, _BLOCK))
    return found


def _least_hashes(values: pl.Series) -> Words:
    shingles, counts = windows(values)
    hashes = mix(shingles)
    bins = ((hashes >> np.uint64(32)) * np.uint64(MOST) >> np.uint64(32)).astype(np.int64)
    least = np.full(MOST * values.len(), _NONE, dtype=np.uint64)
    np.minimum.at(least, bins * values.len() + np.repeat(np.arange(values.len()), counts), hashes)
    return _without_gaps(least.reshape(MOST, values.len()))


def _without_gaps(least: Words) -> Words:
    """Each empty bin takes over from the next full one, with a mark of how far that is."""
    full = least != _NONE
    borrowed = least[0]
    for at in reversed(range(2 * MOST)):
        row = at % MOST
        borrowed = np.where(full[row], least[row], borrowed + _GOLDEN)
        if at < MOST:
            least[row] = borrowed
    return least
