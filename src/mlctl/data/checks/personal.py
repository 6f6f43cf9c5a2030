"""Personal data in columns that nobody marked as such.

Precision comes first. A kind is reported where what passes its proof is nearly all of what has its
shape, and is too often there for chance; a column with a telling name needs less. A value is never
shown: of its first match the first character stays, and the other letters and digits are stars.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from mlctl.data.checks.patterns import KINDS, Kind
from mlctl.data.checks.rows import SHOWN

_UNLIKELY = 0.001  # that this many pass it by chance
_TRUSTED = 0.5  # share of a column's values of the shape, where only its name speaks for a kind
_LONGEST = 24  # characters shown of a masked match
# What every shape holds; it looks once for all of them.
_ANY = r"@|[0-9](?:[^0-9]{0,3}[0-9]){5}|[0-9a-f]:[0-9a-f:]+:[0-9a-f]|[都道府県].{1,12}?[市区町村郡]"
_LEAST_NUMBER = 10**8  # whole numbers below have too few digits
_SPACED = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s.\-]+")
_LENGTH = 2000  # characters of a text that are looked at


@dataclass(frozen=True, slots=True)
class Personal:
    """A kind of personal data in a column: how many rows hold some, the first ones, masked values.

    `share` is that of all rows; rows count from 0, as they were given to the scan.
    """

    column: str
    kind: str
    count: int
    share: float
    rows: tuple[int, ...]
    values: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What a column holds of one kind. `files` has how many of each source's rows are proven.

    `chance` is the logarithm of the probability that as many pass the proofs by chance.
    """

    shaped: int = 0
    proven: int = 0
    chance: float = 0.0
    files: dict[int, int] = field(default_factory=dict)
    rows: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # row, masked match


class Scan:
    """Looks through batches of columns, and tells at the end what they hold."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._columns = tuple(columns)
        self._kinds = {name: _asked(name) for name in self._columns}
        self._is_named = {
            name: any(shape.only_named for shapes in kinds.values() for shape in shapes)
            for name, kinds in self._kinds.items()
        }
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._present = dict.fromkeys(self._columns, 0)

    def add(self, frame: pl.DataFrame, source: int, first: int) -> None:
        """Look through columns `c0`, … of rows of a file, of which the first is row `first`."""
        for number, name in enumerate(self._columns):
            values = frame[f"c{number}"]
            self._present[name] += values.len() - values.null_count()
            texts = _texts(values, everything=self._is_named[name])
            if texts is not None and texts.height:
                self._look(name, texts, source, first)

    def _look(self, name: str, texts: pl.DataFrame, source: int, first: int) -> None:
        """`texts` has columns `text` and `row`, counted in the batch."""
        for kind, shapes in self._kinds[name].items():
            matches = pl.concat([_matches(texts, shape) for shape in shapes])
            if not matches.height:
                continue
            # A row counts once, for the shape that proves it.
            matches = matches.sort("row", "chance", nulls_last=True)
            matches = matches.unique("row", keep="first", maintain_order=True)
            proven = matches.drop_nulls("chance")
            seen = self._seen.setdefault((name, kind), _Seen())
            seen.shaped += matches.height
            seen.proven += proven.height
            seen.chance += float(proven["chance"].sum())
            if proven.height:
                seen.files[source] = seen.files.get(source, 0) + proven.height
                shown = seen.rows.setdefault(source, [])
                for row, text in proven.select("row", "found").head(SHOWN - len(shown)).rows():
                    shown.append((first + row, masked(text)))

    def told(self, rows: int) -> Iterator[tuple[int, Personal]]:
        """What was found in each file, by its number; `rows` are those of all files together."""
        for (name, kind), seen in self._seen.items():
            if self._is_certain(name, kind, seen):
                for source, count in seen.files.items():
                    numbers, texts = zip(*seen.rows[source], strict=True)
                    yield source, Personal(name, kind, count, count / rows, numbers, texts)

    def _is_certain(self, name: str, kind: str, seen: _Seen) -> bool:
        shapes = self._kinds[name][kind]
        least = max(shape.proven for shape in shapes)
        if not seen.proven or seen.proven < least * seen.shaped:
            return False
        if all(shape.only_named for shape in shapes):
            return seen.proven >= _TRUSTED * self._present[name]
        return seen.chance <= math.log(_UNLIKELY) or any(says(shape, name) for shape in shapes)


def _matches(texts: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The first match of each row, with the logarithm of its `chance`; null where it is wrong."""
    text = pl.col("text")
    # To extract is slow, to look is fast.
    some = texts.filter(text.str.contains(kind.shape))
    found = some.select("row", found=text.str.extract(kind.shape))
    proven = kind.proof(found["found"]) if found.height else pl.Series([], dtype=pl.Boolean)
    chance = pl.when(proven).then(pl.lit(math.log(kind.chance)))
    return found.with_columns(chance=chance)


def says(kind: Kind, column: str) -> bool:
    """Whether a column is called like the kind."""
    return re.search(kind.named, _SPACED.sub("_", column).lower()) is not None


def masked(text: str) -> str:
    """`t***@*******.**`: the first character, and stars for other letters and digits."""
    stars = "".join("*" if c.isalnum() else c for c in text[1:])
    whole = text[:1] + stars
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"


def _asked(name: str) -> dict[str, list[Kind]]:
    """The shapes of each kind that a column of this name is asked for."""
    found: dict[str, list[Kind]] = {}
    for kind in KINDS:
        if not kind.only_named or says(kind, name):
            found.setdefault(kind.name, []).append(kind)
    return found


def _texts(values: pl.Series, *, everything: bool) -> pl.DataFrame | None:
    """The `text` and `row` of values that may hold something; `everything` leaves none out."""
    frame = values.alias("text").to_frame().with_row_index("row").drop_nulls()
    text = pl.col("text")
    if values.dtype.is_integer():
        return frame.filter(text >= _LEAST_NUMBER).with_columns(text.cast(pl.String))
    if values.dtype != pl.String:
        is_moment = everything and values.dtype.is_temporal()
        return frame.with_columns(text.cast(pl.String)) if is_moment else None
    if frame.select(text.str.contains("[０-９＠]").any()).item():
        plain = [unicodedata.normalize("NFKC", one) for one in frame["text"].to_list()]
        frame = frame.with_columns(text=pl.Series(plain, dtype=pl.String))
    frame = frame.with_columns(text.str.slice(0, _LENGTH))
    return frame if everything else frame.filter(text.str.contains(_ANY))
