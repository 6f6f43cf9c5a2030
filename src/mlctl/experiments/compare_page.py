"""The page that compares runs: one HTML file that needs nothing else, linked views of the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.experiments.comparing import Comparison
from mlctl.experiments.curve_forms import fewer
from mlctl.experiments.curves import Curve
from mlctl.experiments.query import short_ids
from mlctl.experiments.table import number_format, short_names
from mlctl.records.canonical import plain
from mlctl.records.run import RunHead
from mlctl.reports import explore, html
from mlctl.reports.html import Cell, Section
from mlctl.reports.markup import Html, element, join
from mlctl.reports.scales import duration, short

_TONES = {"failed": "bad", "interrupted": "unsure"}
_COLUMNS = 30  # of metrics, and of parameters: a table of more cannot be read
_POINTS = 30_000  # of the curves of one metric, in all
_FINEST, _COARSEST = 400, 40  # points of one curve
_FEW = 8  # as many runs have colours of their own


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table and an axis of the plots. `at` is its place in the table."""

    key: str
    name: str
    kind: str
    values: tuple[Any, ...]
    at: int | None = None


def comparison_page(it: Comparison, *, title: str) -> str:
    """The whole page."""
    columns = _columns(it)
    names = {column.key: column.name for column in columns}
    first = "" if len(it.heads) <= _FEW else _first_colour(columns)
    body = join([_table(it, columns), _left_out(it), _same(it.same)])
    sections = [Section("Runs", body, note=_HOW_TO_PIN if len(it.heads) > 1 else "")]
    if it.curves:
        sections.append(Section("Curves", explore.curves()))
    if len(it.heads) > 1 and len(columns) > 1:
        sections.append(Section("Parallel coordinates", explore.parallel(), note=_HOW_TO_BRUSH))
        x, y = _first_axes(columns)
        sections.append(Section("Scatter", explore.scatter(names, x, y)))
    return html.page(
        title,
        _subtitle(it.heads),
        sections,
        above=explore.toolbar({"": "run", **names}, first),
        footer="Made by mlctl exp compare. Values are those of the runs' records.",
        style=explore.style(),
        script=explore.script(_data(it, columns)),
    )


def _subtitle(heads: Sequence[RunHead]) -> str:
    days = sorted({head.started[:10] for head in heads})
    number = f"{len(heads)} run{'s' if len(heads) > 1 else ''}"
    return f"{number} · {days[0] if len(days) == 1 else f'{days[0]} to {days[-1]}'}"


_HOW_TO_PIN = "A click on a head sorts; a click on a run keeps it in sight in all views."
_HOW_TO_BRUSH = "Drag along an axis to keep the runs within; a click on it takes the brush away."


def _columns(it: Comparison) -> list[_Column]:
    """Those of metrics and of parameters that differ, and how long the runs took."""
    metrics = list(it.metrics)[:_COLUMNS]
    params = list(it.params)[:_COLUMNS]
    short = {**short_names(metrics), **short_names(params)}
    before = len(_FIRST)
    found = [
        _Column(f"{kind}.{name}", short[name], kind.removesuffix("s"), values)
        for kind, names, every in (("metrics", metrics, it.metrics), ("params", params, it.params))
        for name in names
        for values in [tuple(map(_value, every[name]))]
    ]
    placed = [
        _Column(c.key, c.name, c.kind, c.values, at) for at, c in enumerate(found, start=before)
    ]
    seconds = tuple(round(head.seconds, 3) for head in it.heads)
    return [*placed, _Column("seconds", "seconds", "info", seconds)]


_FIRST, _LAST = ("run", "name"), ("ran", "time", "started", "commit")


def _table(it: Comparison, columns: Sequence[_Column]) -> Html:
    shown = [column for column in columns if column.at is not None]
    ids = short_ids([head.id for head in it.heads])
    formats = [_formatted(column) for column in shown]
    rows = [
        [
            Cell(_button(ids[head.id], head), number),
            _name(head, it.tags[number]),
            *[cells[number] for cells in formats],
            ", ".join(head.failed or head.ran),
            Cell(duration(head.seconds), head.seconds, right=True),
            head.started[:16].replace("T", " "),
            _commit(head),
        ]
        for number, head in enumerate(it.heads)
    ]
    return html.table([*_FIRST, *[c.name for c in shown], *_LAST], rows)


def _button(short_id: str, head: RunHead) -> Html:
    status = html.badge(head.status, _TONES[head.status]) if head.status in _TONES else ""
    return join(
        [
            element(
                "button", element("i"), short_id, type="button", class_="pick",
                aria_pressed="false", title=f"{head.id}: keep in sight",
            ),
            status,
        ],
        " ",
    )  # fmt: skip


def _name(head: RunHead, tags: Iterable[str]) -> Html:
    return join([head.name or "", *[element("span", tag, class_="tag") for tag in tags]], " ")


def _formatted(column: _Column) -> list[object]:
    """The cells of a column; its numbers are all written in one way."""
    numbers = [value for value in column.values if _is_number(value)]
    text = number_format(numbers)
    return [
        Cell(text(value), value, right=True) if _is_number(value) else _word(value)
        for value in column.values
    ]


def _word(value: Any) -> object:
    return "" if value is None else element("span", value, title=value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(value: Any) -> Any:
    """What the page computes with: a number or a text; None for what is not there."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, int | float | str) else str(plain(value))


def _commit(head: RunHead) -> str:
    if head.git is None or head.git.commit is None:
        return ""
    return head.git.commit[:7] + ("*" if head.git.dirty else "")


def _left_out(it: Comparison) -> Html:
    """What there is no room for, by name."""
    names = [*list(it.metrics)[_COLUMNS:], *list(it.params)[_COLUMNS:]]
    if not names:
        return Html("")
    title = f"Not shown: {len(names)} more metrics and parameters that differ"
    body = element(
        "div", *[element("div", element("code", name)) for name in names], class_="pairs"
    )
    return element("details", element("summary", title), body)


def _same(values: Mapping[str, Any]) -> Html:
    """What is equal in all runs, folded away."""
    if not values:
        return Html("")
    pairs = [
        element(
            "div", element("code", name), " ", short(value) if _is_number(value) else str(value)
        )
        for name, value in values.items()
    ]
    title = f"The same in all runs: {len(pairs)} parameters and metrics"
    return element("details", element("summary", title), element("div", *pairs, class_="pairs"))


def _first_colour(columns: Sequence[_Column]) -> str:
    return next((c.key for c in columns if c.kind == "metric"), "")


def _first_axes(columns: Sequence[_Column]) -> tuple[str, str]:
    """The parameter with the most different numbers, against the first metric."""
    metrics = [c.key for c in columns if c.kind == "metric"]
    params = [c for c in columns if c.kind == "param"]
    params.sort(key=lambda c: -len({value for value in c.values if _is_number(value)}))
    across = [c.key for c in params] or metrics[1:] or ["seconds"]
    return across[0], (metrics or ["seconds"])[0]


def _data(it: Comparison, columns: Sequence[_Column]) -> dict[str, Any]:
    ids = short_ids([head.id for head in it.heads])
    params = [c.key for c in columns if c.kind == "param"][:6]
    metrics = [c.key for c in columns if c.kind == "metric"][:3]
    return {
        "runs": [
            {"label": f"{ids[head.id]} {head.name}" if head.name else ids[head.id]}
            for head in it.heads
        ],
        "columns": [
            {
                "key": c.key,
                "name": c.name,
                "kind": c.kind,
                "values": [_drawn(value) for value in c.values],
                "at": c.at,
            }
            for c in columns
        ],
        "curves": [{"name": name, "runs": _curves(curves)} for name, curves in it.curves.items()],
        "axes": [*params, *metrics],
    }


def _drawn(value: Any) -> Any:
    """NaN and infinities have no place on an axis."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _curves(curves: Sequence[Curve | None]) -> list[Any]:
    """Steps, seconds and values of each, as few as can be seen among so many."""
    most = min(max(_POINTS // len(curves), _COARSEST), _FINEST)
    return [_points(fewer(curve, most)) if curve else None for curve in curves]


def _points(curve: Curve) -> list[Any]:
    values = (curve.steps, curve.times, curve.values)
    return [[_rounded(value) for value in of] for of in values]


def _rounded(value: float) -> float | None:
    """Five digits, which is more than a screen shows; None for what is not finite."""
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.5g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
