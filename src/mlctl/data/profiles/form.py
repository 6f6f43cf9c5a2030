"""A column's profile as it stands in a record, and back (docs/formats/profile.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np

from mlctl.data.profiles.column import KINDS, Column
from mlctl.data.profiles.distinct import ERROR, Distinct
from mlctl.data.profiles.frequent import Frequent, Scalar
from mlctl.data.profiles.moments import Moments, is_figure
from mlctl.data.profiles.packing import from_text, to_text
from mlctl.data.profiles.quantiles import STORED, Piece, Quantiles

TOP = 100  # values listed
LONGEST = 80  # characters of a text that is listed
FEW = 10  # values of a protected column under which not even their mean is told
# Bytes of the list, so that a column takes 12 kB at most: hashes 7.6, quantiles 2.8, the rest 0.4.
_TEXT_BYTES, _NUMBER_BYTES = 2_400, 1_000


def to_dict(column: Column) -> dict[str, Any]:
    """The column as JSON, without what says nothing."""
    data: dict[str, Any] = {"name": column.name, "kind": column.kind, "nulls": column.nulls}
    if column.infinite:
        data["infinite"] = column.infinite
    if column.distinct is not None:
        data["distinct"] = _distinct(column.distinct, shown=column.shown)
    if column.moments.n >= (1 if column.shown else FEW):
        data["mean"] = _digits(column.moments.mean)
        data["sd"] = _digits(column.moments.deviation)
    piece = column.piece
    if piece is not None:
        data["quantiles"] = _quantiles(piece)
    if column.shown:
        data["shown"] = True
        if column.low is not None:
            data["min"], data["max"] = column.low, column.high
        if column.frequent is not None:
            _list(data, column.frequent, column.values)
    return data


def from_dict(data: Mapping[str, Any], rows: int) -> Column:
    """The column that `to_dict` made `data` of. Raises ValueError, KeyError or TypeError."""
    kind, nulls, infinite = data["kind"], data["nulls"], data.get("infinite", 0)
    if kind not in KINDS:
        raise ValueError(f"no kind of column is called {kind!r}")
    if not isinstance(data["name"], str):
        raise ValueError("a column without a name")  # noqa: TRY004
    finite = rows - _count(nulls) - _count(infinite)
    if finite < 0:
        raise ValueError(f"column {data['name']!r} has more missing values than rows")
    frequent = None
    if data.get("shown") and "top" in data:
        listed = {_scalar(value): _count(count) for value, count in data["top"]}
        frequent = Frequent(listed, _count(data.get("missed", 0)))
    moments = Moments()
    if "mean" in data:
        moments = Moments.from_figures(finite, _figure(data["mean"]), _figure(data["sd"]))
    return Column(
        name=data["name"],
        kind=kind,
        rows=rows,
        nulls=nulls,
        infinite=infinite,
        shown=bool(data.get("shown")),
        distinct=_parse_distinct(data["distinct"]) if "distinct" in data else None,
        quantiles=_parse_quantiles(data.get("quantiles"), finite),
        moments=moments,
        frequent=frequent,
        low=_figure(data["min"]) if "min" in data else None,
        high=_figure(data["max"]) if "max" in data else None,
    )


def _distinct(distinct: Distinct, *, shown: bool) -> dict[str, Any]:
    """A few hashes would tell a guesser which values are there: of those only the count."""
    data: dict[str, Any] = {"count": distinct.count}
    if not distinct.exact:
        data["error"] = ERROR
    if distinct.coupons is not None:
        data["coupons"] = to_text(distinct.packed())
    elif shown and distinct.hashes is not None:
        data["hashes"] = to_text(distinct.packed())
    return data


def _parse_distinct(data: Mapping[str, Any]) -> Distinct:
    count = None if data["count"] is None else _count(data["count"])
    if "coupons" in data:
        known = None if "error" in data else count
        return Distinct.unpacked(from_text(data["coupons"]), known, few=False)
    if "hashes" in data:
        return Distinct.unpacked(from_text(data["hashes"]), count, few=True)
    return Distinct(known=count)


def _quantiles(piece: Piece) -> dict[str, Any]:
    """Each value once, and how often it stands there where any does so twice."""
    values, times = np.unique(piece.values, return_counts=True)
    data = {
        "error": ceil(piece.share * 1e6) / 1e6,
        "points": to_text(values.astype("<f8").tobytes()),
    }
    if values.size < piece.values.size:
        data["times"] = to_text((times - 1).astype(np.uint8).tobytes())
    return data


def _parse_quantiles(data: Mapping[str, Any] | None, n: int) -> Quantiles:
    if data is None:
        return Quantiles()
    values = np.frombuffer(from_text(data["points"]), dtype="<f8").astype(np.float64)
    if "times" in data:
        values = np.repeat(
            values, np.frombuffer(from_text(data["times"]), np.uint8).astype(int) + 1
        )
    error = _figure(data["error"])
    sound = 0 < values.size <= min(n, STORED) and np.isfinite(values).all()
    if not sound or (np.diff(values) < 0).any() or error < 0:
        raise ValueError("no quantiles")
    return Quantiles(((Piece(n, values, error * n),),))


def _list(data: dict[str, Any], frequent: Frequent, values: int) -> None:
    """Put `top` and `missed` into `data`: all values if they are few, else those that stand out."""
    listed = {v: n for v, n in frequent.counts.items() if not _is_long(v)}
    dropped = max((n for v, n in frequent.counts.items() if _is_long(v)), default=0)
    least = 1 if len(listed) <= TOP else 2 + values // 1000
    shown = Frequent(listed, frequent.missed + dropped).top(TOP, least=least)
    most = _TEXT_BYTES if data["kind"] == "str" else _NUMBER_BYTES
    while (size := len(_json(shown.ranked()))) > most:
        shown = shown.top(len(shown.counts) * most // size)
    data["top"] = [list(pair) for pair in shown.ranked()]
    if shown.missed:
        data["missed"] = shown.missed


def _is_long(value: Scalar) -> bool:
    return isinstance(value, str) and len(value) > LONGEST


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _digits(value: float) -> float:
    """Twelve digits: more would differ between machines and say nothing."""
    return float(f"{value:.12g}")


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"no count: {value!r}")
    return value


def _figure(value: Any) -> float:
    if not is_figure(value):
        raise ValueError(f"no number: {value!r}")
    return value  # type: ignore[no-any-return]


def _scalar(value: Any) -> Scalar:
    if not isinstance(value, str | int | float):
        raise ValueError(f"no value: {value!r}")  # noqa: TRY004
    return value
