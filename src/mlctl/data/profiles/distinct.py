"""How many distinct values: exact below 2,000, then estimated from bits that merge by "or".

Each value's hash names a *coupon*: one of 8,192 rows (13 bits) and a column (the number of leading
zeros of the next 19 bits), which comes up with probability 2^-(column+1). The sketch is the set of
coupons seen (Flajolet and Martin 1985, "Probabilistic counting algorithms for data base
applications"), so it does not depend on order, and merging is exact. The number of values is the
most likely one given the set (Clifford and Cosma 2012, "A statistical analysis of probabilistic
counting algorithms"); its standard error is sqrt(6 ln 2)/pi/sqrt(8192) = 0.72 %, up to 10^9 values.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import TYPE_CHECKING, Any

import numpy as np

from mlctl.data.profiles.packing import pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
    Flags = NDArray[np.bool_]
else:
    Words = Flags = Any

EXACT = 2000  # values that are still counted one by one
ROWS, COLUMNS = 1 << 13, 20
ERROR = 0.0072  # relative standard error of an estimate

_CHANCES = [2.0 ** -(column + 1) for column in range(COLUMNS - 1)] + [2.0 ** -(COLUMNS - 1)]
_WHOLE, _SHORT = 64, 32  # bits of a hash that are kept in memory and in a file
_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The sketch: the sorted `hashes` of at most 2,000 values, else the `coupons` of more.

    Of `hashes` only the first `bits` are known. `known` is the count where it is known otherwise:
    because the values were counted, or because a record says only that.
    """

    hashes: Words | None = None
    coupons: Flags | None = None
    bits: int = _WHOLE
    known: int | None = None

    @classmethod
    def of(cls, hashes: Words) -> Distinct:
        """The sketch of distinct values with these (64-bit) hashes."""
        if hashes.size <= EXACT:
            return cls(hashes=np.sort(hashes))
        return cls(coupons=_coupons(hashes), known=int(hashes.size))

    @property
    def mergeable(self) -> bool:
        """Whether more than the count is known."""
        return self.hashes is not None or self.coupons is not None

    @property
    def exact(self) -> bool:
        """Whether `count` is no estimate."""
        return self.coupons is None or self.known is not None

    @property
    def count(self) -> int | None:
        """How many values; None where a merge has lost it."""
        if self.known is not None:
            return self.known
        if self.hashes is not None:
            return int(self.hashes.size)
        return _most_likely(self.coupons) if self.coupons is not None else None

    def merge(self, other: Distinct) -> Distinct:
        """Both together; nothing is known of what holds a bare count."""
        for side, rest in ((self, other), (other, self)):
            if side.hashes is not None and not side.hashes.size:
                return rest
        if not self.mergeable or not other.mergeable:
            return Distinct()
        if self.hashes is not None and other.hashes is not None:
            bits = min(self.bits, other.bits)
            cut = np.uint64(_WHOLE - bits)
            union = np.union1d(self.hashes >> cut, other.hashes >> cut) << cut
            if union.size <= EXACT:
                return Distinct(union, bits=bits)
        return Distinct(coupons=self._flags() | other._flags())

    def _flags(self) -> Flags:
        if self.coupons is not None:
            return self.coupons
        return _coupons(np.empty(0, np.uint64) if self.hashes is None else self.hashes)

    def packed(self) -> bytes:
        """The sketch in few bytes: 5.8 kB at most for hashes, about 5 kB for coupons."""
        if self.hashes is not None:
            return pack(np.unique(self.hashes >> np.uint64(_WHOLE - _SHORT)))
        parts = []
        for plane in self._flags().reshape(ROWS, COLUMNS).T:
            full = 2 * int(plane.sum()) > ROWS  # then the gaps are told
            parts.append(bytes([full]) + pack(np.flatnonzero(plane != full).astype(np.uint64)))
        return b"".join(parts)

    @classmethod
    def unpacked(cls, data: bytes, count: int | None, *, few: bool) -> Distinct:
        """The sketch behind `packed`: of `few` values hashes, else coupons; `count` if it is known.

        Raises ValueError where there is none.
        """
        if few:
            values, rest = unpack(data)
            if rest or values.size > EXACT or (values >> np.uint64(_SHORT)).any():
                raise ValueError("no set of hashes")
            return cls(values << np.uint64(_WHOLE - _SHORT), bits=_SHORT, known=count)
        coupons = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
        for plane in coupons.T:
            full, data = bool(data[:1] == b"\1"), data[1:]
            places, data = unpack(data)
            if places.size and int(places[-1]) >= ROWS:
                raise ValueError("no set of coupons")
            plane[:] = full
            plane[places.astype(np.int64)] = not full
        return cls(coupons=coupons.reshape(-1), known=count)


def _coupons(hashes: Words) -> Flags:
    """The coupons of hashes, as flags by `row * COLUMNS + column`."""
    flags = np.zeros(ROWS * COLUMNS, dtype=np.bool_)
    for start in range(0, hashes.size, _BLOCK):
        short = (hashes[start : start + _BLOCK] >> np.uint64(32)).astype(np.uint32)
        # A one behind the 19 bits ends the zeros; the exponent of a float tells where the first is.
        tail = (short << np.uint32(13) | np.uint32(1 << 12)).astype(np.float64)
        columns = 1054 - (tail.view(np.int64) >> 52)
        flags[(short >> np.uint32(19)).astype(np.int64) * COLUMNS + columns] = True
    return flags


def _most_likely(coupons: Flags) -> int:
    """The number of values that makes the set likeliest; its score falls as the number grows."""
    seen: list[int] = coupons.reshape(ROWS, COLUMNS).sum(axis=0).tolist()

    def score(rate: float) -> float:
        """The derivative of the log-likelihood by the number of values for each row."""
        return sum(
            chance * (count / expm1(min(rate * chance, 700.0)) - (ROWS - count))
            for chance, count in zip(_CHANCES, seen, strict=True)
        )

    low, high = 1e-9, 1e-9
    while score(high) > 0 and high < 1e9:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if score(middle) > 0 else (low, middle)
    return round(high * ROWS)
