"""NannyML 0.13.1, defaults of `UnivariateDriftCalculator`: Jensen-Shannon, base 2, everywhere.

Numbers are put into the bins that `numpy.histogram_bin_edges(…, "doane")` makes of the reference,
current values beyond them into one bin more. The limit is the mean of the distances of ten chunks
of the reference from the whole of it, plus three standard deviations (ddof 0), at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from mlctl.monitoring.compat import _histograms as histograms
from mlctl.monitoring.compat._histograms import Array
from mlctl.monitoring.results import Compat, CompatColumn

_CHUNKS, _DEVIATIONS = 10, 3.0


def compare(reference: pl.DataFrame, current: pl.DataFrame, columns: Sequence[str]) -> Compat:
    """What NannyML would say of each column of one chunk of current rows."""
    found = tuple(_column(reference[name], current[name]) for name in columns)
    return Compat("nannyml", any(column.drift for column in found), found)


def _column(reference: pl.Series, current: pl.Series) -> CompatColumn:
    name = reference.name
    if not (reference.len() - reference.null_count()) or not (current.len() - current.null_count()):
        return CompatColumn(name, "none", None, None, False, "an empty column is not compared")
    size = max(1, reference.len() // _CHUNKS)  # what is left over is a chunk of its own
    chunks = [reference.slice(at, size) for at in range(0, reference.len(), size)]
    if reference.dtype.is_numeric():
        value, within = _numbers(reference, current, chunks)
    else:
        value, within = _words(reference, current, chunks)
    spread = np.array([each for each in within if np.isfinite(each)])
    limit = min(1.0, float(spread.mean() + _DEVIATIONS * spread.std())) if spread.size else 1.0
    drift = np.isfinite(value) and value > limit
    return CompatColumn(name, "jensen_shannon, base 2", value, limit, bool(drift))


def _numbers(
    reference: pl.Series, current: pl.Series, chunks: Sequence[pl.Series]
) -> tuple[float, list[float]]:
    whole = histograms.values(reference)
    edges = np.histogram_bin_edges(whole, bins="doane")
    share = np.histogram(whole, bins=edges)[0] / whole.size

    def of(column: pl.Series) -> float:
        some = histograms.values(column)
        if not some.size:
            return float("nan")
        theirs = np.histogram(some, bins=edges)[0] / some.size
        left = max(0.0, 1.0 - float(theirs.sum()))
        p, q = share, theirs
        if left > 1e-12:
            p, q = np.append(share, 0.0), np.append(theirs, left)
        return histograms.jensen_shannon(p, q, 2.0)

    return of(current), [of(chunk) for chunk in chunks]


def _words(
    reference: pl.Series, current: pl.Series, chunks: Sequence[pl.Series]
) -> tuple[float, list[float]]:
    def of(column: pl.Series) -> float:
        names = histograms.labels(reference, column)
        sides: list[Array] = [histograms.shares(side, names) for side in (reference, column)]
        return (
            histograms.jensen_shannon(sides[0], sides[1], 2.0) if sides[1].sum() else float("nan")
        )

    return of(current), [of(chunk) for chunk in chunks]
