"""From a column of the reference to its line in a baseline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from mlctl.monitoring import periods, seasons
from mlctl.monitoring.baseline_column import (
    LIMIT,
    BaselineColumn,
    column_data,
    season_edges,
)
from mlctl.monitoring.cuts import Rows, Source
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.drift import Array
    from mlctl.monitoring.summaries.numeric import Numeric

_BINS = (40, 32, 24, 16, 10, 6, 4)
_SEASON_BINS = (10, 8, 6, 4, 3)
_LONGEST = 60  # characters of a category that is named
_CHUNKS, _LEAST_CHUNKS = 20, 8  # parts of the reference that limits are learned from


def season_rows(spec: MonitorSpec, source: Source) -> Mapping[str, Rows]:
    """The rows of each season of the reference, of those with enough rows."""
    import numpy as np

    if spec.season is None or spec.time is None or spec.time not in source.schema:
        return {}
    at, _ = periods.moments(source.read([spec.time])[spec.time], spec.zone, path=source.ref.path)
    keys = seasons.keys_of(at, spec.season, spec.zone)
    found = {}
    for name, rows in keys.items():
        if rows.size >= spec.min_rows:
            found[name] = np.asarray(rows)
    return found


def summarised(
    spec: MonitorSpec, column: pl.Series, seasonal: Mapping[str, Rows]
) -> BaselineColumn:
    """The column in at most 1 kB."""
    from mlctl.monitoring.summaries.kinds import kind_of

    kind = spec.kinds.get(column.name) or kind_of(column)
    if kind == "numeric":
        return _numeric(spec, column, seasonal)
    if kind == "categorical":
        return _categorical(column, seasonal)
    return BaselineColumn(column.name, kind, column.len(), column.null_count())


def _numeric(spec: MonitorSpec, column: pl.Series, seasonal: Mapping[str, Rows]) -> BaselineColumn:
    import numpy as np

    from mlctl.monitoring.summaries.kinds import numbers
    from mlctl.monitoring.summaries.numeric import edges_of, summarise

    values = numbers(column).to_numpy()
    known = np.sort(values[~np.isnan(values)])
    rows, missing = column.len(), column.len() - known.size
    learned = _learned(spec, known.size, lambda part: _ks(_known(values[part]), known))
    found = BaselineColumn(column.name, "numeric", rows, missing)
    for bins in _BINS:
        edges = np.unique(_rounded(edges_of(known, bins)))
        side = replace(summarise(known, edges, rows=rows), values=None)
        found = BaselineColumn(column.name, "numeric", rows, missing, side, learned=learned)
        found = _with_seasons(found, {n: _known(values[r]) for n, r in seasonal.items()}, side)
        if _size(found) <= LIMIT:
            return found
    return replace(found, seasons={})


def _rounded(edges: Array) -> Array:
    """Edges to a ten-thousandth of the range in which most of them lie: bins stay apart."""
    import numpy as np

    if edges.size < 2:
        return edges
    low, high = np.quantile(edges, [0.1, 0.9])
    spread = max(float(high - low), 1e-300)
    digits = min(300, 4 - int(np.floor(np.log10(spread))))
    scaled = np.round(edges, digits) if digits < 17 else edges
    return np.asarray(np.where(np.isfinite(scaled), scaled, edges))


def _with_seasons(
    column: BaselineColumn, values: Mapping[str, Array], whole: Numeric
) -> BaselineColumn:
    """`column` with the counts of its seasons, as fine as the room allows."""
    import numpy as np

    from mlctl.monitoring.summaries.numeric import counted

    if not values:
        return column
    for bins in _SEASON_BINS:
        edges = season_edges(whole, bins)
        kept = {
            name: [int(n) for n in counted(np.sort(side), edges).tolist()]
            for name, side in values.items()
        }
        seasonal = replace(column, seasons=kept)
        if edges.size == bins - 1 and _size(seasonal) <= LIMIT:
            return seasonal
    return column


def _categorical(column: pl.Series, seasonal: Mapping[str, Rows]) -> BaselineColumn:
    from mlctl.monitoring.summaries.categorical import TOP, frame_of, framed, summarise
    from mlctl.monitoring.summaries.kinds import words

    values = words(column, column.dtype)
    whole = summarise(values)
    labels = [label for label in frame_of(whole, TOP) if len(label) <= _LONGEST]
    most = len(labels)
    while True:
        kept = replace(framed(whole, labels[:most], None), new=None)
        found = BaselineColumn(
            column.name, "categorical", whole.rows, whole.missing, None, kept,
            integers=column.dtype.is_integer(),
        )  # fmt: skip
        if _size(found) <= LIMIT or not most:
            break
        most -= 1
    for bins in _SEASON_BINS:
        frame = list(kept.counts)[: bins - 1]
        counts = {
            name: [*(side.counts[c] for c in frame), side.other]
            for name, rows in seasonal.items()
            for side in [framed(summarise(values[rows]), frame, None)]
        }
        if counts and _size(replace(found, seasons=counts)) <= LIMIT:
            return replace(found, seasons=counts)
    return found


def _learned(spec: MonitorSpec, rows: int, effect: Callable[[slice], float]) -> float | None:
    """The largest effect between a part of the reference and all of it, None for too few rows."""
    import numpy as np

    chunks = min(_CHUNKS, rows // max(1, spec.min_rows))
    if chunks < _LEAST_CHUNKS:
        return None
    edges = np.linspace(0, rows, chunks + 1).astype(int)
    found = [effect(slice(a, b)) for a, b in pairwise(edges)]
    return float(max(found))


def _ks(part: Array, whole: Array) -> float:
    from mlctl.monitoring.drift import ks

    return ks.compute(whole, part).value if part.size else 0.0


def _known(values: Array) -> Array:
    import numpy as np

    return values[~np.isnan(values)]


def _size(column: BaselineColumn) -> int:
    return len(json.dumps(column_data(column), ensure_ascii=False, separators=(",", ":")).encode())
