"""Which metrics and parameters tell runs apart, and how their numbers read best. Pure."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mlctl.records.canonical import float_text
from mlctl.records.run import RunHead

_DIGITS = 4  # significant ones
_OF_TEST = re.compile(r"(?:^|[._/-])(?:test|eval|evaluation|val|valid|validation)(?:$|[._/:-])")
_OF_TRAINING = re.compile(r"(?:^|[._/-])(?:train|training|fit)(?:$|[._/-])")


def metric_names(heads: Sequence[RunHead]) -> list[str]:
    """All metrics, the most telling first: those that vary, that most runs have, that are no
    counts, that are of test data, that are not of the training data.
    """
    values = _columns(head.metrics for head in heads)
    return sorted(
        values,
        key=lambda name: (
            not _varies(values[name]),
            -len(values[name]),
            all(isinstance(value, int) for value in values[name]),
            _OF_TEST.search(name) is None,
            _OF_TRAINING.search(name) is not None,
            name,
        ),
    )


def param_names(heads: Sequence[RunHead]) -> list[str]:
    """The parameters that differ between the runs, those that most runs have first.

    One that only some runs have counts as differing; one that gave way in a head (`truncated`) is
    not known to, so runs that lost some are not asked.
    """
    values = _columns(head.params for head in heads)
    whole = sum(not head.truncated.get("params") for head in heads)
    some = {
        name: sum(name in head.params for head in heads if not head.truncated.get("params"))
        for name in values
    }
    varying = [name for name in values if _varies(values[name]) or some[name] < whole]
    return sorted(varying, key=lambda name: (-len(values[name]), name))


def short_names(names: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted name, as many parts as tell these names apart.

    Of a file that a name bears, `metrics/best.json:auc`, the stem is enough: `best:auc`.
    """
    stems = {name: _with_stem(name) for name in names}
    if len(set(stems.values())) < len(names):
        stems = {name: name for name in names}
    split = {name: re.split(r"(?<=[.:])", stem) for name, stem in stems.items()}
    return {name: "".join(_shortest(split[name], split.values())) for name in names}


def _with_stem(name: str) -> str:
    file, colon, metric = name.rpartition(":")
    stem = posixpath.splitext(posixpath.basename(file))[0]
    return f"{stem}{colon}{metric}"


def _shortest(parts: Sequence[str], all_parts: Iterable[Sequence[str]]) -> Sequence[str]:
    for taken in range(1, len(parts)):
        last = list(parts[-taken:])
        if sum(list(other[-taken:]) == last for other in all_parts) == 1:
            return last
    return parts


def number_format(values: Iterable[float]) -> Callable[[float], str]:
    """One way to write all numbers of a column, to four significant digits of the largest."""
    finite = [value for value in values if math.isfinite(value)]
    if all(isinstance(value, int) for value in finite):
        return lambda value: str(value) if isinstance(value, int) else float_text(value)
    largest = max((abs(value) for value in finite), default=0.0)
    smallest = min((abs(value) for value in finite if value), default=0.0)
    if largest >= 1e7 or (smallest and smallest < 1e-3):
        return lambda value: f"{value:.{_DIGITS}g}" if math.isfinite(value) else float_text(value)
    before = math.floor(math.log10(largest)) + 1 if largest >= 1 else 0
    decimals = max(_DIGITS - before, 1)
    return lambda value: f"{value:.{decimals}f}" if math.isfinite(value) else float_text(value)


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


def _varies(values: Sequence[Any]) -> bool:
    first = repr(values[0])  # in which NaN is equal to itself, and 1 differs from True
    return any(repr(value) != first for value in values)
