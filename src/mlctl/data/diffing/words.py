"""A comparison in words: what terminal and Markdown both say of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isfinite

from mlctl.data.diffing.columns import LARGE, ColumnChange, Pair
from mlctl.data.diffing.diff import DataChange
from mlctl.data.diffing.rows import RowChanges
from mlctl.data.profiles.frequent import Scalar
from mlctl.reports.scales import size_text

HEAD = ("column", "shift", "missing", "mean", "median", "distinct", "note")
RIGHT = "     r "  # which of them are numbers only
LEGEND = (
    "shift: KS distance of numbers, share of rows in other categories; "
    "± and ≈ mark estimates, all else is exact"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOME = 8  # things named in a line


def sizes(change: DataChange) -> list[str]:
    """`169.1 kB → 171.9 kB`, `12 → 13 files`, `5,000 → 5,080 rows`."""
    sides = [side.digest if side else None for side in (change.old, change.new)]
    told = [
        _arrow([size_text(side.size) if side and side.size is not None else "" for side in sides])
    ]
    if any(side and side.isdir for side in sides):
        told.append(
            _arrow([f"{side.nfiles:,}" if side and side.nfiles else "" for side in sides])
            + " files"
        )
    if change.counts != (None, None):
        told.append(_arrow(["" if n is None else f"{n:,}" for n in change.counts]) + " rows")
    return [text for text in told if text]


def sentences(change: DataChange) -> list[tuple[str, str]]:
    """What is said of files, rows and labels: pairs of a heading and a text."""
    told = []
    if change.files is not None:
        files = change.files
        counts = ("added", files.added), ("removed", files.removed), ("changed", files.changed)
        parts = [
            f"{len(names):,} {word}"
            for word, names in (*counts, ("renamed", files.renamed))
            if names
        ]
        told.append(("files", ", ".join(parts) or "the same"))
    if change.rows is not None:
        told += _row_sentences(change.rows)
    told += _label_sentences(change)
    return [
        *told,
        *((head, text) for head, _, text in (note.partition(": ") for note in change.notes)),
    ]


def file_lines(change: DataChange, most: int | None = 10) -> list[str]:
    """`+ new.png`, `- old.png`, `~ changed.png`, `> from.png → to.png`; at most so many of each."""
    if change.files is None:
        return []
    files = change.files
    lines = []
    for mark, names in (
        ("+", files.added),
        ("-", files.removed),
        ("~", files.changed),
        (">", [f"{old} → {new}" for old, new in files.renamed]),
    ):
        lines += [f"{mark} {name}" for name in names[:most]]
        if most is not None and len(names) > most:
            lines.append(f"{mark} … and {len(names) - most:,} more")
    return lines


def shown_columns(change: DataChange, *, everything: bool) -> tuple[list[ColumnChange], str]:
    """The columns to show, and a line on the others."""
    shown = [column for column in change.columns if everything or column.is_large]
    rest = [column for column in change.columns if not (everything or column.is_large)]
    measured = sum(column.shift is not None for column in rest)
    told = []
    if measured:
        told.append(f"{_columns(measured)} shifted by less than {LARGE:g}")
    if len(rest) > measured:
        told.append(f"of {_columns(len(rest) - measured)} the distribution is not told")
    return shown, "; ".join(told)


def _columns(count: int) -> str:
    return f"{count:,} more column" if count == 1 else f"{count:,} more columns"


def cells(column: ColumnChange) -> list[str]:
    """One column's line under `HEAD`."""
    if column.change in {"added", "removed"}:
        kind = column.kinds[1] or column.kinds[0]
        return [column.name, column.change, "", "", "", "", str(kind)]
    shift = ""
    if column.shift is not None:
        error = f" ±{column.shift.error:.3f}" if column.shift.error >= 0.0005 else ""
        shift = f"{column.shift.value:.3f}{error}"
    kind = column.kinds[1] or ""
    median = column.quantiles.get(0.5) if column.quantiles else None
    inexact = any(error >= 0.0005 for error in column.rank_error)
    return [
        column.name,
        shift,
        _arrow([_share(share) for share in column.nulls]),
        _pair(column.mean, "float" if kind in {"int", "bool"} else kind),
        _pair(median, kind, inexact=inexact) if median and kind != "bool" else "",
        _distinct(column),
        "; ".join(_remarks(column)),
    ]


def _row_sentences(rows: RowChanges) -> list[tuple[str, str]]:
    counts = [("added", rows.added), ("removed", rows.removed)]
    if rows.key:
        counts.append(("changed", rows.changed))
    parts = [f"{count:,} {word}" for word, count in (*counts, ("the same", rows.same))]
    how = f"by {', '.join(rows.key)}" if rows.key else f"as wholes: {rows.why}"
    told = [("rows", f"{', '.join(parts)} ({how})")]
    if rows.columns:
        told.append(("changed in", _list(f"{name} {n:,}" for name, n in rows.columns.items())))
    if rows.ignored:
        told.append(("not compared", _list(rows.ignored)))
    return told


def _label_sentences(change: DataChange) -> list[tuple[str, str]]:
    """The label's distribution, and the rows whose label changed."""
    label = next((column for column in change.columns if column.name == change.label), None)
    if label is None:
        return []
    parts = [_distribution(label)] if label.categories else []
    if change.rows is not None and change.rows.relabelled is not None:
        moves = _list(f"{a} → {b} {n:,}" for (a, b), n in change.rows.labels.items())
        parts.append(f"{change.rows.relabelled:,} relabelled" + (f" ({moves})" if moves else ""))
    return [(f"label {label.name}", "; ".join(parts))] if parts else []


def _distribution(label: ColumnChange) -> str:
    """`no 80.0 % → 75.0 %, yes 20.0 % → 25.0 %`."""
    totals = [sum(c.rows[at] for c in label.categories) or 1 for at in (0, 1)]
    shares = ([_share(c.rows[at] / totals[at]) for at in (0, 1)] for c in label.categories)
    names = (value_text(c.value, label.kinds[1]) for c in label.categories)
    return _list(f"{name} {_arrow(pair)}" for name, pair in zip(names, shares, strict=True))


def _remarks(column: ColumnChange) -> list[str]:
    old, new = column.kinds
    told = [f"{old} → {new}"] if old != new else []
    for word, categories, at in (("new", column.new, 1), ("gone", column.gone, 0)):
        if categories:
            named = _list(f"{value_text(c.value, new)} {c.rows[at]:,}" for c in categories)
            told.append(f"{word}: {named}")
    if any(column.infinite):
        told.append(f"infinite {_arrow([f'{n:,}' for n in column.infinite])}")
    return told


def _distinct(column: ColumnChange) -> str:
    told = [
        "" if count is None else f"{'≈' if error else ''}{count:,}"
        for count, error in zip(column.distinct, column.distinct_error, strict=True)
    ]
    return _arrow(told)


def _pair(pair: Pair, kind: str, *, inexact: bool = False) -> str:
    told = ["" if value is None else number(value, kind) for value in pair]
    text = _arrow(told)
    return f"≈ {text}" if inexact and text else text


def number(value: float, kind: str) -> str:
    """A figure of a column of this kind: dates and moments as such, others to four digits."""
    try:
        if kind == "date":
            return str(date(1970, 1, 1) + timedelta(days=round(value)))
        if kind == "datetime":
            return (_EPOCH + timedelta(seconds=value)).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        pass
    if isfinite(value) and value == round(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def value_text(value: Scalar, kind: str | None) -> str:
    """A value of a column of this kind."""
    if kind == "bool":
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else number(value, kind or "float")


def _share(share: float | None) -> str:
    if share is None:
        return ""
    return "0 %" if not share else f"{share:.1%}".replace("%", " %") if share >= 0.001 else "<0.1 %"


def _arrow(pair: Sequence[str]) -> str:
    """`old → new`, once where they read the same or one is missing."""
    old, new = pair
    return f"{old} → {new}" if old and new and old != new else new or old


def _list(items: Iterable[str]) -> str:
    named = list(items)
    more = f", and {len(named) - _SOME:,} more" if len(named) > _SOME else ""
    return ", ".join(named[:_SOME]) + more
