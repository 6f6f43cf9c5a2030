"""A comparison as Markdown and as data for `--json` (docs/reference/json.md)."""

from __future__ import annotations

from typing import Any

from mlctl.data.diffing.columns import ColumnChange, Pair
from mlctl.data.diffing.diff import DataChange, DataDiff
from mlctl.data.diffing.rows import RowChanges
from mlctl.data.diffing.versions import Version
from mlctl.data.diffing.words import (
    HEAD,
    LEGEND,
    RIGHT,
    cells,
    file_lines,
    sentences,
    shown_columns,
    sizes,
)
from mlctl.reports import markdown


def to_markdown(diff: DataDiff, *, everything: bool = False) -> str:
    """The comparison for a pull request."""
    title = f"# Data: {markdown.escape(diff.a)} to {markdown.escape(diff.b)}"
    if not diff.data:
        return f"{title}\n\nNothing differs.\n"
    parts = [_section(change, everything) for change in diff.data]
    legend = f"\n{markdown.escape(LEGEND)}\n" if any(c.columns for c in diff.data) else ""
    return f"{title}\n\n" + "\n".join(parts) + legend


def _section(change: DataChange, everything: bool) -> str:
    lines = [f"## {markdown.code(change.path)} {change.change}", ""]
    if change.change == "renamed" and change.old is not None:
        lines.append(f"- from {markdown.code(change.old.path)}")
    lines.append(f"- {markdown.escape(', '.join(sizes(change)))}")
    lines += [
        f"- {markdown.escape(head)}: {markdown.escape(text)}" for head, text in sentences(change)
    ]
    names = file_lines(change, None if everything else 10)
    lines += [f"    - {markdown.code(name)}" for name in names]
    shown, rest = shown_columns(change, everything=everything)
    text = "\n".join(lines) + "\n"
    if shown:
        text += "\n" + markdown.table(HEAD, [cells(column) for column in shown], right=RIGHT)
    return text + (f"\n{markdown.escape(rest)}.\n" if rest else "")


def to_dict(diff: DataDiff) -> dict[str, Any]:
    """The comparison as data: every figure with its error, none for what is exact."""
    return {"a": diff.a, "b": diff.b, "data": [_change(change) for change in diff.data]}


def _change(change: DataChange) -> dict[str, Any]:
    files = change.files
    return {
        "path": change.path,
        "change": change.change,
        "old": _version(change.old, change.counts[0]),
        "new": _version(change.new, change.counts[1]),
        "files": None
        if files is None
        else {
            "added": list(files.added),
            "removed": list(files.removed),
            "changed": list(files.changed),
            "renamed": [list(pair) for pair in files.renamed],
        },
        "columns": [_column(column) for column in change.columns],
        "label": change.label,
        "rows": _rows(change.rows) if change.rows is not None else None,
        "notes": list(change.notes),
    }


def _version(version: Version | None, rows: int | None) -> dict[str, Any] | None:
    if version is None:
        return None
    ref = version.ref
    return {
        "path": ref.path,
        "digest": ref.digest,
        "size": version.digest.size,
        "files": ref.files,
        "rows": rows,
    }


def _column(column: ColumnChange) -> dict[str, Any]:
    shift = column.shift
    quantiles = column.quantiles or {}
    return {
        "column": column.name,
        "change": column.change,
        "kind": list(column.kinds),
        "large": column.is_large,
        "shift": None
        if shift is None
        else {"measure": shift.measure, "value": shift.value, "error": shift.error},
        "missing": _exact(column.nulls),
        "infinite": _exact(column.infinite),
        "distinct": {
            "old": column.distinct[0],
            "new": column.distinct[1],
            "error": list(column.distinct_error),
        },
        "mean": _exact(column.mean),
        "sd": _exact(column.sd),
        "min": _exact(column.low),
        "max": _exact(column.high),
        "quantiles": {
            "error": list(column.rank_error),
            "old": {str(share): pair[0] for share, pair in quantiles.items()},
            "new": {str(share): pair[1] for share, pair in quantiles.items()},
        },
        "new": [[c.value, c.rows[1]] for c in column.new],
        "gone": [[c.value, c.rows[0]] for c in column.gone],
        "categories": [[c.value, *c.rows] for c in column.categories],
    }


def _exact(pair: Pair) -> dict[str, Any]:
    return {"old": pair[0], "new": pair[1]}


def _rows(rows: RowChanges) -> dict[str, Any]:
    return {
        "key": list(rows.key),
        "why_no_key": rows.why or None,
        "added": rows.added,
        "removed": rows.removed,
        "changed": rows.changed if rows.key else None,
        "same": rows.same,
        "columns": dict(rows.columns),
        "relabelled": rows.relabelled,
        "labels": [[old, new, count] for (old, new), count in rows.labels.items()],
        "ignored": list(rows.ignored),
    }
