"""The table of runs, in as many columns as the terminal has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from mlctl.cli._output import styled
from mlctl.cli._reasons import value_text
from mlctl.cli._text import clip, count, duration, some
from mlctl.experiments.query import short_ids
from mlctl.experiments.table import metric_names, number_format, param_names, short_names
from mlctl.records.run import RunHead

GAP = "  "
STATUS = {"finished": ("✓", "32"), "failed": ("✗", "31"), "interrupted": ("!", "33")}
_WIDEST_VALUE = 16


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


def table_lines(heads: Sequence[RunHead], *, now: float, width: int, total: int) -> list[str]:
    """The runs' table and a line on what it leaves out."""
    left, right = _first_columns(heads, now, max(width // 5, 12)), _last_columns(heads)
    room = width - sum(column.width + len(GAP) for column in (*left, *right))
    values, hidden = _value_columns(heads, room)
    columns = [*left, *values, *right]
    first = _row([styled(_fit(c, c.head), "2") for c in columns])
    rows = [
        _row([styled(_fit(c, c.cells[index]), c.styles[index]) for c in columns])
        for index in range(len(heads))
    ]
    return [first, *rows, "", styled(_footer(heads, hidden, total), "2")]


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


def _first_columns(heads: Sequence[RunHead], now: float, widest: int) -> list[Column]:
    short = short_ids([head.id for head in heads])
    marks = [STATUS[head.status] for head in heads]
    plain, dim = [""] * len(heads), ["2"] * len(heads)
    ran = [clip(_ran(head), widest) for head in heads]
    return [
        Column("", [mark for mark, _ in marks], [style for _, style in marks]),
        Column("run", [short[head.id] for head in heads], ["1"] * len(heads)),
        Column("age", [age(now - started_at(head)) for head in heads], dim, right=True),
        Column("ran", ran, [_ran_style(head) for head in heads]),
        Column("time", [duration(head.seconds) for head in heads], plain, right=True),
    ]


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


def _footer(heads: Sequence[RunHead], hidden: tuple[int, int], total: int) -> str:
    parts = [f"{len(heads)} of {total} runs" if len(heads) < total else count(total, "run")]
    metrics, params = hidden
    kinds = [count(metrics, "more metric")] if metrics else []
    kinds += [count(params, "more param")] if params else []
    if kinds:
        parts.append(f"{' and '.join(kinds)} in `mlctl exp show RUN`")
    if any(head.git and head.git.dirty for head in heads):
        parts.append("* with uncommitted changes")
    return " · ".join(parts)
