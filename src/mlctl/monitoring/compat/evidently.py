"""Evidently 0.7.23, defaults of `DataDriftPreset`: its choice of tests, its numbers, its limits.

Up to 1,000 reference rows: Kolmogorov-Smirnov for numbers of more than 5 values, chi-square of
goodness of fit for categories of more than 2, a z-test of two proportions else; drift where
p < 0.05. Beyond: Wasserstein over the reference's deviation (at least 0.001), and Jensen-Shannon
to base e; drift where the value is at least 0.1. Missing values are dropped. The data drifted where
half of the columns did. Its chi-square takes the reference as exact, and so rejects too often.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt

import numpy as np
import polars as pl

from mlctl.monitoring.compat import _exact_ks
from mlctl.monitoring.compat import _histograms as histograms
from mlctl.monitoring.drift import ks, wasserstein
from mlctl.monitoring.drift._special import chi_square_sf
from mlctl.monitoring.results import Compat, CompatColumn

_SMALL, _FEW = 1000, 5
_P, _DISTANCE, _SHARE = 0.05, 0.1, 0.5


def compare(reference: pl.DataFrame, current: pl.DataFrame, columns: Sequence[str]) -> Compat:
    """What Evidently would say of each column."""
    found = tuple(_column(reference[name], current[name]) for name in columns)
    drifted = sum(column.drift for column in found)
    return Compat("evidently", bool(found) and drifted / len(found) >= _SHARE, found)


def _column(reference: pl.Series, current: pl.Series) -> CompatColumn:
    name = reference.name
    if not (reference.len() - reference.null_count()) or not (current.len() - current.null_count()):
        return CompatColumn(name, "none", None, None, False, "an empty column stops its report")
    numeric = reference.dtype.is_numeric()
    small = reference.len() <= _SMALL
    distinct = len(histograms.labels(reference, current))
    if numeric and distinct > _FEW:
        return _small_numbers(reference, current) if small else _large_numbers(reference, current)
    if not small:
        names = histograms.labels(reference, current)
        sides = [histograms.shares(side, names) for side in (reference, current)]
        value = histograms.jensen_shannon(sides[0], sides[1], None)
        return CompatColumn(name, "jensen_shannon, base e", value, _DISTANCE, value >= _DISTANCE)
    return _proportions(reference, current) if distinct <= 2 else _fit(reference, current)


def _small_numbers(reference: pl.Series, current: pl.Series) -> CompatColumn:
    sides = histograms.values(reference), histograms.values(current)
    if max(side.size for side in sides) <= _exact_ks.LARGEST:
        p = _exact_ks.p_value(*sides)
        return CompatColumn(reference.name, "ks p-value", p, _P, p < _P)
    found = ks.compute(*sides)
    p = 1.0 if found.p is None else found.p
    note = "by the limiting distribution, of which scipy takes another form"
    return CompatColumn(reference.name, "ks p-value", p, _P, p < _P, note)


def _large_numbers(reference: pl.Series, current: pl.Series) -> CompatColumn:
    first, second = histograms.values(reference), histograms.values(current)
    scale = max(float(first.std()), 0.001)
    value = wasserstein.distance(np.sort(first), np.sort(second)) / scale
    return CompatColumn(reference.name, "wasserstein, normed", value, _DISTANCE, value >= _DISTANCE)


def _fit(reference: pl.Series, current: pl.Series) -> CompatColumn:
    names = histograms.labels(reference, current)
    n = current.len() - current.null_count()
    expected = histograms.shares(reference, names) * n
    observed = histograms.shares(current, names) * n
    if (expected == 0).any():
        note = "a new category: expected 0, so that chi-square is infinite"
        return CompatColumn(reference.name, "chi_square p-value", 0.0, _P, True, note)
    statistic = float(((observed - expected) ** 2 / expected).sum())
    p = chi_square_sf(statistic, len(names) - 1)
    return CompatColumn(reference.name, "chi_square p-value", p, _P, p < _P)


def _proportions(reference: pl.Series, current: pl.Series) -> CompatColumn:
    names = histograms.labels(reference, current)
    n = reference.len() - reference.null_count()
    m = current.len() - current.null_count()
    if len(names) < 2:
        return CompatColumn(reference.name, "z p-value", 1.0, _P, False)
    p1 = float(histograms.shares(reference, names)[0])
    p2 = float(histograms.shares(current, names)[0])
    pooled = (p1 * n + p2 * m) / (n + m)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    z = (p1 - p2) / error if error else 0.0
    p = erfc(abs(z) / sqrt(2))
    return CompatColumn(reference.name, "z p-value", p, _P, p < _P)
