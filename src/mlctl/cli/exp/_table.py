"""The table of runs, in as many columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from mlctl.cli._output import styled
from mlctl.cli._text import clip, count, duration, some, value_text
from mlctl.experiments.fields import value_of
from mlctl.experiments.query import short_ids
from mlctl.experiments.search import Listing
from mlctl.experiments.table import metric_names, number_format, param_names, short_names
from mlctl.records.run import RunHead
from mlctl.records.run_events import NO_FACTS

GAP = "  "
STATUS = {"finished": ("✓", "32"), "failed": ("✗", "31"), "interrupted": ("!", "33")}
_WIDEST_VALUE, _WIDEST_NAME = 16, 24


@dataclass(frozen=True)
class Column:
    """A head and a cell for each run; `styles` are the cells' ANSI styles."""

    head: str
    cells: list[str]
    styles: list[str]
    right: bool = False

    @cached_property
    def width(self) -> int:
        return max(len(self.head), *map(len, self.cells))


def table_lines(
    listing: Listing, *, now: float, width: int, chosen: Sequence[str] = ()
) -> list[str]:
    """The runs' table and a line on what it leaves out.

    `chosen` are the fields to show; without them those that tell the runs apart are.
    """
    heads = listing.heads
    left = _first_columns(listing, now, max(width // 5, 12))
    if chosen:
        columns = [*left[:3], *(_field_column(listing, name) for name in chosen)]
        return [*column_rows(columns, len(heads)), "", styled(_footer(listing, (0, 0)), "2")]
    right = _last_columns(heads)
    room = width - sum(column.width + len(GAP) for column in (*left, *right))
    values, hidden = _value_columns(heads, room)
    rows = column_rows([*left, *values, *right], len(heads))
    return [*rows, "", styled(_footer(listing, hidden), "2")]


def column_rows(columns: Sequence[Column], number: int) -> list[str]:
    """The heads of columns, and their cells in so many rows."""
    first = _row([styled(_fit(c, c.head), "2") for c in columns])
    rows = [
        _row([styled(_fit(c, c.cells[index]), c.styles[index]) for c in columns])
        for index in range(number)
    ]
    return [first, *rows]


def age(seconds: float) -> str:
    """`12s`, `5m`, `3h`, `9d`, `7w`, `2y`."""
    for unit, size in (("y", 365 * 86400), ("w", 14 * 86400), ("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // (7 * 86400 if unit == 'w' else size))}{unit}"
    return f"{max(int(seconds), 0)}s"


def started_at(head: RunHead) -> float:
    """When the run started, in seconds since 1970."""
    return datetime.fromisoformat(head.started).timestamp()


def commit_text(head: RunHead) -> str:
    """The commit in short, with `*` where the tree was dirty."""
    if head.git is None:
        return ""
    return (head.git.commit or "none")[:7] + ("*" if head.git.dirty else "")


def _first_columns(listing: Listing, now: float, widest: int) -> list[Column]:
    heads, facts = listing.heads, listing.facts
    short = short_ids([head.id for head in heads])
    marks = [STATUS[head.status] for head in heads]
    plain, dim = [""] * len(heads), ["2"] * len(heads)
    ran = [clip(_ran(head), widest) for head in heads]
    columns = [
        Column("", [mark for mark, _ in marks], [style for _, style in marks]),
        Column("run", [short[head.id] for head in heads], ["1"] * len(heads)),
        Column("age", [age(now - started_at(head)) for head in heads], dim, right=True),
        Column("ran", ran, [_ran_style(head) for head in heads]),
        Column("time", [duration(head.seconds) for head in heads], plain, right=True),
    ]
    for place, name in enumerate(("name", "tags")):
        values = [value_of(head, facts.get(head.id, NO_FACTS), name) or "" for head in heads]
        if any(values):
            cells = [clip(value, _WIDEST_NAME) for value in values]
            columns.insert(
                3 + place, Column(name, cells, ["35" if name == "tags" else ""] * len(heads))
            )
    return columns


def _field_column(listing: Listing, name: str) -> Column:
    """A column of a field that the user named."""
    rows = [(h, value_of(h, listing.facts.get(h.id, NO_FACTS), name)) for h in listing.heads]
    numbers = [v for _, v in rows if isinstance(v, int | float) and not isinstance(v, bool)]
    text = number_format(numbers)
    if name == "started":
        cells = [str(value)[:16].replace("T", " ") for _, value in rows]
    else:
        cells = [_cell(value, text) for _, value in rows]
    right = bool(numbers) and all(value is None or not isinstance(value, str) for _, value in rows)
    return Column(
        name, cells, ["36" if name.startswith("metrics.") else ""] * len(rows), right=right
    )


def _cell(value: Any, number: Callable[[float], str]) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return value_text(value, _WIDEST_NAME)


def _last_columns(heads: Sequence[RunHead]) -> list[Column]:
    styles = ["33" if head.git and head.git.dirty else "2" for head in heads]
    return [Column("commit", [commit_text(head) for head in heads], styles)]


def _ran(head: RunHead) -> str:
    if head.failed:
        return f"{some(list(head.failed), 1)} failed"
    if head.status == "interrupted":
        return "interrupted"
    rest = head.outcomes.get("ran", 0) - len(head.ran)
    return some([*head.ran, *["…"] * rest], 2)


def _ran_style(head: RunHead) -> str:
    return "" if head.status == "finished" else STATUS[head.status][1]


def _value_columns(heads: Sequence[RunHead], room: int) -> tuple[list[Column], tuple[int, int]]:
    """Metrics and parameters by turns, as long as there is room; how many of each are left out."""
    metrics, params = metric_names(heads), param_names(heads)
    short = {**short_names(params), **short_names(metrics)}
    chosen: list[list[Column]] = [[], []]
    for index in range(max(len(metrics), len(params))):
        for kind, (names, make) in enumerate(((metrics, _metric_column), (params, _param_column))):
            if index < len(names) and room > len(GAP):
                column = make(heads, names[index], clip(short[names[index]], _WIDEST_VALUE))
                if column.width + len(GAP) <= room:
                    room -= column.width + len(GAP)
                    chosen[kind].append(column)
    hidden = (len(metrics) - len(chosen[0]), len(params) - len(chosen[1]))
    return [*chosen[0], *chosen[1]], hidden


def _metric_column(heads: Sequence[RunHead], name: str, head: str) -> Column:
    text = number_format(run.metrics[name] for run in heads if name in run.metrics)
    cells = [text(run.metrics[name]) if name in run.metrics else "" for run in heads]
    return Column(head, cells, ["36"] * len(heads), right=True)


def _param_column(heads: Sequence[RunHead], name: str, head: str) -> Column:
    values: list[Any] = [run.params.get(name) for run in heads]
    cells = [
        value_text(value, _WIDEST_VALUE) if name in run.params else ""
        for run, value in zip(heads, values, strict=True)
    ]
    right = all(isinstance(value, int | float) for value in values if value is not None)
    return Column(head, cells, [""] * len(heads), right=right)


def _row(cells: Sequence[str]) -> str:
    return GAP.join(cells).rstrip()


def _fit(column: Column, text: str) -> str:
    align: Callable[[str, int], str] = str.rjust if column.right else str.ljust
    return align(text, column.width)


def _footer(listing: Listing, left_out: tuple[int, int]) -> str:
    heads, total = listing.heads, listing.total
    parts = [f"{len(heads)} of {total} runs" if len(heads) < total else count(total, "run")]
    if listing.hidden:
        parts.append(f"{listing.hidden} archived (--archived)")
    metrics, params = left_out
    kinds = [count(metrics, "more metric")] if metrics else []
    kinds += [count(params, "more param")] if params else []
    if kinds:
        parts.append(f"{' and '.join(kinds)} in `mlctl exp show RUN`")
    if any(head.git and head.git.dirty for head in heads):
        parts.append("* with uncommitted changes")
    return " · ".join(parts)
