"""How similar two rows are, and hashes that similar rows share.

The similarity of two rows is the mean over their columns: of texts the Jaccard similarity of their
shingles (windows of five bytes of the text in lower case), of numbers and dates 1 - |a - b| / w,
never below 0, where w is a tenth of the range from the 10 % to the 90 % quantile, and else whether
they are equal. Missing equals missing.

For each of these there are hashes on which two values agree with just that probability: the least
hash of the shingles (Broder 1997; many at once from one pass by one-permutation hashing with
rotation, Li, Owen and Zhang 2012, Shrivastava and Li 2014), and the cell of a randomly shifted grid
(Rahimi and Recht 2007). A hash of a column drawn at random thus agrees with the probability s of
the rows' similarity, a band of r of them with s^r, and one of b bands with 1 - (1 - s^r)^b (Indyk
and Motwani 1998; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, ch. 3). r and b are
chosen so that at the wanted similarity at most 1 % of the pairs share no band. What shares one is
compared by its values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlctl.data.checks.rows import Rows
from mlctl.data.checks.shingles import MOST, least_hashes, windows
from mlctl.data.contracts.model import NearDuplicates
from mlctl.data.profiles.hashing import mix

if TYPE_CHECKING:
    from mlctl.data.profiles.hashing import Words

MISSED = 0.01  # share of the pairs of just the wanted similarity that may share no band
_SAMPLE = 100_000  # values that tell a column's range
_NEIGHBOURS = 8  # rows of a band's bucket that each is compared with
_TRIES = 100  # of drawing hashes
_NUMBERS = ("int", "float", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Similarity:
    """The measure over columns of `kinds`; `widths` are those of the grids, 0 for equality.

    `draws` has a row for each band, of numbers of hashes, those of column c from 4 * c * MOST on.
    """

    least: float
    kinds: tuple[str, ...]
    widths: tuple[float, ...]
    draws: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, rows: Rows, wanted: NearDuplicates) -> Similarity:
        """The measure that a contract asks for; the grids are laid by a sample of the rows."""
        kinds = tuple(rows.kinds[name] for name in wanted.columns)
        widths = _widths(rows, wanted.columns, kinds)
        length, bands = shape(wanted.similarity, MOST if "str" in kinds else 4 * MOST)
        return cls(wanted.similarity, kinds, widths, _draws(len(kinds), length, bands))

    @property
    def bands(self) -> int:
        return len(self.draws)

    def hashes(self, frame: pl.DataFrame) -> list[pl.Series]:
        """The hash of each row in each band."""
        columns: list[dict[int, Words]] = []
        drawn = {number for band in self.draws for number in band}
        for at, kind in enumerate(self.kinds):
            mine = sorted(number for number in drawn if number // (4 * MOST) == at)
            columns.append(self._column(frame[f"c{at}"], kind, self.widths[at], mine))
        found = []
        for number, band in enumerate(self.draws):
            words = np.full(frame.height, number, dtype=np.uint64)
            for drawn_hash in band:
                words = mix(words ^ columns[drawn_hash // (4 * MOST)][drawn_hash])
            found.append(pl.Series("hash", words))
        return found

    def _column(
        self, values: pl.Series, kind: str, width: float, numbers: Sequence[int]
    ) -> dict[int, Words]:
        if not numbers:
            return {}
        if kind == "str":
            least = least_hashes(values)
            return {n: least[n % MOST] for n in numbers}
        missing = values.is_null().to_numpy()
        if not width:
            same = values.hash(7).to_numpy()
            return dict.fromkeys(numbers, same)
        cells = {}
        for n in numbers:
            shift = int(mix(np.array([n], dtype=np.uint64))[0]) / 2**64
            with np.errstate(invalid="ignore"):
                cell = np.floor(_as_numbers(values) / width + shift)
            words = mix((cell + 0.0).view(np.uint64) ^ np.uint64(n))
            cells[n] = np.where(missing, np.uint64(0), words)
        return cells

    def between(self, one: pl.DataFrame, other: pl.DataFrame) -> Any:
        """The similarity of the first row of `one` to the first of `other`, and so on.

        Of pairs that lie below `least` it may say less than it is.
        """
        total = np.zeros(one.height)
        for at, (kind, width) in enumerate(zip(self.kinds, self.widths, strict=True)):
            if kind != "str":
                total += _closeness(one[f"c{at}"], other[f"c{at}"], width)
        texts = [at for at, kind in enumerate(self.kinds) if kind == "str"]
        wanted = self.least * len(self.kinds)
        for done, at in enumerate(texts, 1):
            open_still = np.flatnonzero(total + len(texts) - done + 1 >= wanted - 1e-9)
            mine = [side[f"c{at}"].gather(open_still) for side in (one, other)]
            total[open_still] += _jaccard(*mine)
        return total / len(self.kinds)


def shape(similarity: float, most: int) -> tuple[int, int]:
    """Hashes in a band and bands, `most` together; long bands let few other pairs through."""
    for length in range(most, 0, -1):
        agree = similarity**length
        bands = 1 if agree == 1 else math.ceil(math.log(MISSED) / math.log1p(-agree))
        if length * bands <= most and length <= 32:
            return length, bands
    return 1, most


def alike(groups: pl.DataFrame, measure: Similarity) -> pl.DataFrame:
    """The pairs (`id`, `other`, both ways) of `groups` that are similar.

    In a bucket of many rows each is compared with the 8 that follow in each band.
    """
    distinct = groups.unique("id", keep="first", maintain_order=True)
    ids = distinct["id"].to_numpy()
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for hashes in measure.hashes(distinct):
        words = hashes.to_numpy()
        order = np.argsort(words, kind="stable")
        for step in range(1, _NEIGHBOURS + 1):
            one, other = order[:-step], order[step:]
            same = words[one] == words[other]
            pairs.append(np.stack([one[same], other[same]], axis=1))
    found = pl.DataFrame(np.concatenate(pairs), schema=["a", "b"]).unique(maintain_order=True)
    similar = measure.between(distinct[found["a"]], distinct[found["b"]]) >= measure.least - 1e-9
    near = found.filter(pl.Series(similar))
    ways = [(near["a"], near["b"]), (near["b"], near["a"])]
    links = [pl.DataFrame({"id": ids[a], "other": ids[b]}) for a, b in ways]
    return pl.concat(links).cast(groups.schema["id"])


def _draws(columns: int, length: int, bands: int) -> tuple[tuple[int, ...], ...]:
    """Hashes drawn at random, each once, for bands of which some spare any one column.

    Else two rows that are equal but for that column would never share a band.
    """
    for salt in range(_TRIES):
        drawn = _drawn(columns, length, bands, salt)
        used = [{number // (4 * MOST) for number in band} for band in drawn]
        if columns == 1 or not set.intersection(*used):
            break
    return drawn


def _drawn(columns: int, length: int, bands: int, salt: int) -> tuple[tuple[int, ...], ...]:
    seeds = np.arange(length * bands, dtype=np.uint64) + np.uint64(salt << 32)
    taken = [0] * columns
    drawn = []
    for column in (mix(seeds) % np.uint64(columns)).tolist():
        drawn.append(column * 4 * MOST + taken[column])
        taken[column] += 1
    # Neighbours of one permutation are not independent: deal them out to different bands.
    return tuple(tuple(drawn[band::bands]) for band in range(bands))


def _widths(rows: Rows, columns: Sequence[str], kinds: Sequence[str]) -> tuple[float, ...]:
    numbers = [at for at, kind in enumerate(kinds) if kind in _NUMBERS]
    if not numbers:
        return (0.0,) * len(kinds)
    step = max(1, rows.count // _SAMPLE)
    taken = [b.frame.gather_every(step) for b in rows.batches([columns[at] for at in numbers])]
    widths = [0.0] * len(kinds)
    for place, at in enumerate(numbers):
        values = np.concatenate([_as_numbers(f[f"c{place}"].drop_nulls()) for f in taken] or [[]])
        values = values[np.isfinite(values)]
        if values.size:
            low, high = np.quantile(values, [0.1, 0.9])
            widths[at] = float(high - low) / 10
    return tuple(widths)


def _as_numbers(values: pl.Series) -> Any:
    return values.to_physical().cast(pl.Float64).to_numpy()


def _closeness(one: pl.Series, other: pl.Series, width: float) -> Any:
    same = one.eq_missing(other).to_numpy()
    if not width:
        return same.astype(float)
    with np.errstate(invalid="ignore"):
        apart = np.abs(_as_numbers(one) - _as_numbers(other)) / width
    return np.where(same, 1.0, np.nan_to_num(np.clip(1 - apart, 0, 1), nan=0.0))


def _jaccard(one: pl.Series, other: pl.Series) -> Any:
    found = np.empty(one.len())
    sets: dict[str | None, frozenset[int]] = {}
    for at, pair in enumerate(zip(one.to_list(), other.to_list(), strict=True)):
        for text in pair:
            if text not in sets:
                sets[text] = _shingles(text)
        a, b = sets[pair[0]], sets[pair[1]]
        common = len(a & b)
        found[at] = common / (len(a) + len(b) - common)
    return found


def _shingles(text: str | None) -> frozenset[int]:
    words, _ = windows(pl.Series([text], dtype=pl.String))
    return frozenset(words.tolist())
