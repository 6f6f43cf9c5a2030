"""Rows as a matrix of numbers: standardised by the reference, categories as 0 and 1."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import polars as pl

from mlctl.monitoring.joint._outcome import Array
from mlctl.monitoring.summaries.kinds import kind_of, numbers, words

_CATEGORIES = 8  # of a column that get a column of their own
_WIDE = 400  # columns of a matrix: beyond, they are projected at random onto so many
_FAR = 10.0  # standard deviations at which outliers are cut off
_HASHED = 256  # columns of a hashed text


def encoded(
    reference: pl.DataFrame, current: pl.DataFrame, names: Sequence[str]
) -> tuple[Array, Array, tuple[str, ...]]:
    """Both sides as matrices, and the column that each of theirs came of."""
    first: list[Array] = []
    second: list[Array] = []
    groups: list[str] = []
    for name in names:
        kind = kind_of(reference[name])
        if kind == "numeric":
            pairs = _standardised(numbers(reference[name]), numbers(current[name]))
        elif kind == "categorical":
            pairs = _indicators(reference[name], current[name])
        else:
            continue
        for a, b in pairs:
            first.append(a)
            second.append(b)
            groups.append(name)
    if not first:
        return np.empty((reference.height, 0)), np.empty((current.height, 0)), ()
    return np.column_stack(first), np.column_stack(second), tuple(groups)


def narrowed(
    reference: Array, current: Array, groups: tuple[str, ...]
) -> tuple[Array, Array, tuple[str, ...]]:
    """A wide matrix projected onto random directions (Johnson and Lindenstrauss 1984)."""
    if reference.shape[1] <= _WIDE:
        return reference, current, groups
    rng = np.random.Generator(np.random.PCG64(0))
    to = rng.standard_normal((reference.shape[1], _WIDE)) / np.sqrt(_WIDE)
    return reference @ to, current @ to, ("",) * _WIDE


def texts(column: pl.Series) -> Array:
    """Hashed three-letter pieces of each text, their counts scaled to length 1."""
    rows = column.cast(pl.String, strict=False).fill_null("").to_list()
    found = np.zeros((len(rows), _HASHED))
    for at, text in enumerate(rows):
        data = f" {text.lower()} ".encode()[:2000]
        for start in range(len(data) - 2):
            found[at, zlib.crc32(data[start : start + 3]) % _HASHED] += 1
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.divide(found, length, out=found, where=length > 0))


def embeddings(column: pl.Series, width: int) -> Array:
    """Lists of numbers as rows; what is missing or of another length is 0."""
    rows = column.to_list()
    found = np.zeros((len(rows), width))
    for at, row in enumerate(rows):
        if row is not None and len(row) == width:
            found[at] = [0.0 if value is None else value for value in row]
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


def width_of(column: pl.Series) -> int:
    """The most frequent length of the lists."""
    lengths = column.drop_nulls().list.len() if isinstance(column.dtype, pl.List) else None
    if lengths is None:
        return int(getattr(column.dtype, "size", 0) or 0)
    return int(lengths.mode().sort()[0]) if lengths.len() else 0


def _standardised(reference: pl.Series, current: pl.Series) -> list[tuple[Array, Array]]:
    a, b = reference.to_numpy().astype(float), current.to_numpy().astype(float)
    known = a[~np.isnan(a)]
    if not known.size:
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(known.mean()), float(known.std())
    if not np.isfinite(deviation) or deviation <= 1e-12 * max(1e-300, np.abs(known).max()):
        return []
    pairs = []
    scaled = [np.clip((side - mean) / deviation, -_FAR, _FAR) for side in (a, b)]
    pairs.append((np.nan_to_num(scaled[0]), np.nan_to_num(scaled[1])))
    if np.isnan(a).any() or np.isnan(b).any():
        pairs.append((np.isnan(a).astype(float), np.isnan(b).astype(float)))
    return pairs


def _indicators(reference: pl.Series, current: pl.Series) -> list[tuple[Array, Array]]:
    a, b = words(reference, reference.dtype), words(current, reference.dtype)
    counts = a.drop_nulls().alias("value").value_counts(name="rows")
    top = counts.sort(["rows", "value"], descending=[True, False])["value"].head(_CATEGORIES)
    return [
        tuple((side == label).fill_null(False).to_numpy().astype(float) for side in (a, b))
        for label in top.to_list()
    ]
