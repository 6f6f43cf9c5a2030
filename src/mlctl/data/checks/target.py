"""Columns that tell the label by themselves: a hint that they are known only afterwards.

Half of an even sample teaches a table of the column's values (numbers in 64 bins of equal counts,
the 200 most frequent texts, missing ones apart) how the label is spread; the other half tells how
well that predicts it. For classes the score is the mean of each class's AUC against the others, for
numbers R² of their ranks. What is reported is at the limit or above even at the lower end of the
score's uncertainty (two standard errors; Hanley and McNeil 1982).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlctl.data.checks.finding import Finding
from mlctl.data.checks.rows import Rows, comparable
from mlctl.data.profiles.hashing import mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE = 100_000  # rows
_BINS = 64
_VALUES = 200
_MOST_CLASSES = 50  # of a label; more of them are numbers, or nothing that is judged
_LEAST = 20  # rows of a class in each half, for it to count
_NUMBERS = ("int", "float", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Score:
    """How well a column tells the label on `rows` rows it was not taught by."""

    value: float
    low: float  # the lower end of its uncertainty
    measure: str
    rows: int


def telling(rows: Rows, label: str, least: float, *, excluded: Collection[str]) -> list[Finding]:
    """The columns, but those `excluded`, that tell `label` as well as `least` or better."""
    names = [name for name in rows.kinds if name not in excluded and name != label]
    sample = _sampled(rows, [label, *names])
    truth = _Truth.of(sample["c0"], rows.kinds[label]) if sample.height else None
    if truth is None:
        return []
    found = []
    for number, name in enumerate(names, 1):
        column = sample[f"c{number}"]
        known = column.is_not_null().cast(pl.Int32).to_numpy().astype(np.int64)
        by_missing = truth.score(known)
        by_value = truth.score(_bins(column, rows.kinds[name]))
        if by_missing is not None and by_missing.low >= least:
            said = f"whether {name} is missing alone tells {label}"
            found.append(_finding(name, label, least, by_missing, said))
        elif by_value is not None and by_value.low >= least:
            is_copy = rows.kinds[name] == rows.kinds[label] and _share_equal(sample, number) > 0.99
            said = f"is a copy of {label}" if is_copy else f"{name} alone tells {label}"
            found.append(_finding(name, label, least, by_value, said))
    return found


def _finding(name: str, label: str, least: float, score: Score, said: str) -> Finding:
    detail = (
        f"{said}: {score.measure} {score.value:.4f} on {score.rows} held-out rows; "
        f"is it known before {label} is?"
    )
    return Finding(f"leakage of target {least:g}", name, detail=detail)


def _sampled(rows: Rows, columns: list[str]) -> pl.DataFrame:
    """Every so many rows, in their order."""
    step = -(-rows.count // _SAMPLE) or 1
    pieces = []
    kinds = [rows.kinds[name] for name in columns]
    for batch in rows.batches(columns):
        skip = -batch.first % step
        if skip < batch.frame.height:
            pieces.append(comparable(batch.frame.gather_every(step, skip), kinds))
    return pl.concat(pieces) if pieces else pl.DataFrame()


def _share_equal(sample: pl.DataFrame, number: int) -> float:
    return float((sample["c0"] == sample[f"c{number}"]).mean() or 0)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Truth:
    """The label of the sampled rows that have one: class numbers, or ranks from 0 to 1."""

    is_there: NDArray[np.bool_]
    values: NDArray[Any]
    classes: int  # 0 for numbers
    teaches: NDArray[np.bool_]  # which half a row is of

    @classmethod
    def of(cls, label: pl.Series, kind: str) -> _Truth | None:
        """None where there is nothing to tell: one class, or as many as rows."""
        present = label.drop_nulls()
        is_there = label.is_not_null().to_numpy()
        teaches = (mix(np.arange(present.len(), dtype=np.uint64)) & np.uint64(1)).astype(bool)
        distinct = present.n_unique()
        if distinct > _MOST_CLASSES and kind in {"int", "float"}:
            ranks = present.rank("average").to_numpy() / present.len()
            return cls(is_there, ranks, 0, teaches)
        if not 2 <= distinct <= _MOST_CLASSES:
            return None
        codes = present.rank("dense").to_numpy().astype(np.int64) - 1
        return cls(is_there, codes, distinct, teaches)

    def score(self, column: NDArray[np.int64]) -> Score | None:
        """How well the bins of a column tell the label; None where there are too few rows."""
        bins = column[self.is_there]
        if not bins.size or (bins == bins[0]).all():
            return None
        return self._of_classes(bins) if self.classes else self._of_numbers(bins)

    def _of_classes(self, bins: NDArray[np.int64]) -> Score | None:
        taught, asked = self.teaches, ~self.teaches
        shape = (int(bins.max()) + 1, self.classes)
        counts = np.zeros(shape)
        np.add.at(counts, (bins[taught], self.values[taught]), 1)
        prior = counts.sum(axis=0) / counts.sum()
        chance = (counts + prior) / (counts.sum(axis=1, keepdims=True) + 1)
        sizes = np.bincount(self.values[asked], minlength=self.classes)
        total = int(asked.sum())
        judged = [
            c for c in range(self.classes)
            if min(sizes[c], total - sizes[c], counts[:, c].sum()) >= _LEAST
        ]  # fmt: skip
        if not judged:
            return None
        areas, errors = [], []
        for c in judged:
            area = auc(chance[bins[asked], c], self.values[asked] == c)
            areas.append(area)
            errors.append(_standard_error(area, int(sizes[c]), total - int(sizes[c])))
        value, error = float(np.mean(areas)), float(np.mean(errors))
        return Score(value, value - 2 * error, "AUC", total)

    def _of_numbers(self, bins: NDArray[np.int64]) -> Score | None:
        taught, asked = self.teaches, ~self.teaches
        total = int(asked.sum())
        if min(total, int(taught.sum())) < 2 * _LEAST:
            return None
        size = int(bins.max()) + 1
        counts = np.bincount(bins[taught], minlength=size)
        sums = np.bincount(bins[taught], self.values[taught], minlength=size)
        mean = self.values[taught].mean()
        guess = (sums + mean) / (counts + 1)
        truth = self.values[asked]
        off = (truth - guess[bins[asked]]) ** 2
        spread = float(((truth - truth.mean()) ** 2).mean())
        value = 1 - float(off.mean()) / spread
        error = float(off.std()) / math.sqrt(total) / spread
        return Score(value, value - 2 * error, "R² of the ranks", total)


def auc(scores: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """The probability that a true row scores higher than another; ties count half."""
    ranks = pl.Series(scores).rank("average").to_numpy()
    yes = int(truth.sum())
    no = truth.size - yes
    return float((ranks[truth].sum() - yes * (yes + 1) / 2) / (yes * no))


def _standard_error(area: float, yes: int, no: int) -> float:
    """Of an AUC (Hanley and McNeil 1982, formula 1 with their exponential model)."""
    both_yes, both_no = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (yes - 1) * (both_yes - area**2) + (no - 1) * (both_no - area**2)
    return math.sqrt(max(0.0, variance) / (yes * no))


def _bins(column: pl.Series, kind: str) -> NDArray[np.int64]:
    """The number of each value's bin, 0 for missing ones."""
    if kind in _NUMBERS and column.n_unique() > _BINS:
        ordered = column.rank("average") / max(1, column.len() - column.null_count())
        binned = (ordered * _BINS).ceil().cast(pl.Int64).clip(1, _BINS)
        return binned.fill_null(0).to_numpy()
    by = ["count", column.name]
    frequent = column.drop_nulls().value_counts().sort(by, descending=[True, False])
    counts = frequent.head(_VALUES)[column.name]
    places = pl.Series(range(2, counts.len() + 2), dtype=pl.Int64)
    if not counts.len():
        return np.zeros(column.len(), dtype=np.int64)
    coded = column.replace_strict(counts, places, default=1, return_dtype=pl.Int64)
    return pl.select(pl.when(column.is_null()).then(0).otherwise(coded)).to_series().to_numpy()
