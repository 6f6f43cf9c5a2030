"""Whether the labels of a later split are spread as those of the first one."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import polars as pl

from mlctl.data.checks.finding import Finding
from mlctl.data.checks.rows import Rows, comparable

_LEAST = 50  # labels that a split must have to be judged
_MOST_CLASSES = 50  # distinct numbers from which on they are cut into tenths
_BINS = 10
_SURE = 3.09  # standard deviations of chance: one in a thousand
_SAID = 3


def changed(rows: Rows, label: str, most: float, *, shows_values: bool) -> list[Finding]:
    """Splits whose labels are further than `most` from the first split's (Jensen-Shannon distance,
    base 2, from 0 to 1), and further than chance would take them.
    """
    counts = _counts(rows, label)
    first = counts[0]
    found = []
    for split in range(1, len(rows.splits)):
        other = counts[split]
        if min(first.total(), other.total()) < _LEAST:
            continue
        apart = distance(first, other)
        if apart <= most or not is_certain(apart, first, other):
            continue
        names = rows.splits[0].name, rows.splits[split].name
        detail = f"Jensen-Shannon distance {apart:.3f}"
        if shows_values:
            detail += ": " + _most_changed(first, other, *names)
        found.append(Finding(f"labels of {names[1]} as of {names[0]}", label, detail=detail))
    return found


def distance(one: Counter[Any], other: Counter[Any]) -> float:
    """The root of the Jensen-Shannon divergence, base 2 (Lin 1991; Endres and Schindelin 2003)."""
    n, m = one.total(), other.total()
    divergence = 0.0
    for value in one.keys() | other.keys():
        p, q = one[value] / n, other[value] / m
        middle = (p + q) / 2
        divergence += sum(x / 2 * math.log2(x / middle) for x in (p, q) if x)
    return math.sqrt(max(0.0, divergence))


def is_certain(apart: float, one: Counter[Any], other: Counter[Any]) -> bool:
    """Whether samples of one distribution are so far apart less than once in a thousand times.

    8 ln 2 · nm/(n+m) · distance² is then about chi-squared with a degree of freedom less than there
    are classes (Taylor expansion at p = q); its quantile is Wilson and Hilferty's (1931).
    """
    n, m = one.total(), other.total()
    free = len(one.keys() | other.keys()) - 1
    if free < 1:
        return False
    statistic = 8 * math.log(2) * n * m / (n + m) * apart**2
    limit = free * (1 - 2 / (9 * free) + _SURE * math.sqrt(2 / (9 * free))) ** 3
    return statistic > limit


def _counts(rows: Rows, label: str) -> list[Counter[Any]]:
    """How often each class stands in each split; numbers of many values are cut by the first's."""
    frames = []
    for split in range(len(rows.splits)):
        pieces = [
            comparable(batch.frame, [rows.kinds[label]])["c0"].drop_nulls().value_counts()
            for batch in rows.batches([label], split)
        ]
        whole = pl.concat(pieces) if pieces else pl.DataFrame({"c0": [], "count": []})
        frames.append(whole.group_by("c0").agg(pl.col("count").sum()))
    if rows.kinds[label] in {"int", "float"} and frames[0].height > _MOST_CLASSES:
        frames = _in_bins(frames)
    return [Counter(dict(frame.select("c0", "count").rows())) for frame in frames]


def _in_bins(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """The tenths of the first split's values as classes, each named by its bounds."""
    first = frames[0].sort("c0")
    share = first["count"].cum_sum() / first["count"].sum()
    cuts = sorted({float(first.filter(share >= k / _BINS)["c0"][0]) for k in range(1, _BINS)})
    between = [f"{low:g} to {high:g}" for low, high in pairwise(cuts)]
    names = pl.Series([f"up to {cuts[0]:g}", *between, f"over {cuts[-1]:g}"])
    bounds = pl.Series(cuts)
    return [
        frame.with_columns(c0=names.gather(bounds.search_sorted(frame["c0"], side="left")))
        .group_by("c0")
        .agg(pl.col("count").sum())
        for frame in frames
    ]


def _most_changed(one: Counter[Any], other: Counter[Any], first: str, second: str) -> str:
    n, m = one.total(), other.total()
    shares = {v: (one[v] / n, other[v] / m) for v in one.keys() | other.keys()}
    far = sorted(shares, key=lambda v: (-abs(shares[v][0] - shares[v][1]), str(v)))[:_SAID]
    said = [f"{v}: {shares[v][0]:.1%} of {first}, {shares[v][1]:.1%} of {second}" for v in far]
    return "; ".join(said) + ("; …" if len(shares) > _SAID else "")
