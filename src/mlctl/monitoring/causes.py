"""Root cause: which columns and slices explain that a model got worse, or that data drifted.

Where losses are known, the change of their mean is taken apart over the groups of each column:
sum (q_g - p_g) l_g + sum q_g (m_g - l_g), the part of a changed mix and that of being worse within
(Kitagawa 1955, "Components of a difference between two rates"; Oaxaca 1973, Blinder 1973). Groups
are ranked by their share of the change, columns by how unevenly it lies over their groups. Where no
loss is known, drifted columns are ranked by their effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from mlctl.monitoring.results import Cause, ColumnReport, SliceReport

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST = 5
_GROUPS = 8
_LEAST_ROWS = 30  # of a group
_LEAST_SHARE = 0.1  # of the change: less is no explanation


@dataclass(frozen=True, slots=True)
class _Group:
    column: str
    label: str
    before: tuple[float, float]  # share of rows, mean loss
    after: tuple[float, float]
    part: float  # of the change of the mean loss
    z: float  # how many standard errors the group's change is away from that of all others


def rank(
    reference: pl.DataFrame,
    current: pl.DataFrame,
    *,
    loss_reference: Array | None,
    loss_current: Array | None,
    report_columns: Sequence[ColumnReport],
    slices: Sequence[SliceReport],
) -> tuple[Cause, ...]:
    """At most five causes, the greatest first; losses are by row of the tables, NaN unknown."""
    found: list[Cause] = []
    if loss_reference is not None and loss_current is not None:
        found = _of_losses(reference, current, loss_reference, loss_current)
    if not found:
        found = _of_drift(report_columns, slices)
    return tuple(found[:MOST])


def _of_losses(
    reference: pl.DataFrame, current: pl.DataFrame, before: Array, after: Array
) -> list[Cause]:
    import numpy as np

    known = [~np.isnan(before), ~np.isnan(after)]
    if min(int(side.sum()) for side in known) < _LEAST_ROWS:
        return []
    change = float(after[known[1]].mean() - before[known[0]].mean())
    if change <= 0:
        return []
    groups: list[_Group] = []
    for name in current.columns:
        if name in reference.columns:
            sides = reference[name], current[name]
            groups += _groups(name, *sides, before, after, known, change)
    groups = [g for g in groups if g.part >= _LEAST_SHARE and g.z > 3]
    groups.sort(key=lambda g: (-round(g.z, 6), -g.part, g.column, g.label))
    best: dict[str, _Group] = {}
    for group in groups:  # the strongest group of each column speaks for it
        best.setdefault(group.column, group)
    return [
        Cause("slice", f"{g.column} {g.label}", round(min(1.0, g.part), 4), _text(g))
        for g in best.values()
    ]


def _groups(
    name: str,
    reference: pl.Series,
    current: pl.Series,
    before: Array,
    after: Array,
    known: list[NDArray[np.bool_]],
    change: float,
) -> list[_Group]:
    import numpy as np

    labels, sides = _cut(reference, current)
    found = []
    n, m = int(known[0].sum()), int(known[1].sum())
    for place, label in enumerate(labels):
        rows = [(side == place) & mask for side, mask in zip(sides, known, strict=True)]
        counts = [int(side.sum()) for side in rows]
        if counts[1] < _LEAST_ROWS or counts[1] == m:
            continue
        p, q = counts[0] / n, counts[1] / m
        now = float(after[rows[1]].mean())
        overall = float(before[known[0]].mean())
        then = float(before[rows[0]].mean()) if counts[0] >= _LEAST_ROWS else overall
        # The mix counts against the mean of all: more rows of a bad group make it worse.
        part = ((q - p) * (then - overall) + q * (now - then)) / change
        others = known[1] & ~rows[1]
        spread = after[rows[1]].var() / counts[1] + after[others].var() / max(1, int(others.sum()))
        usual = float(after[others].mean()) if others.any() else overall
        z = (now - usual) / float(np.sqrt(spread)) if spread > 0 else 0.0
        found.append(_Group(name, label, (p, then), (q, now), part, z))
    return found


def _cut(
    reference: pl.Series, current: pl.Series
) -> tuple[list[str], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Groups of a column, the same on both sides: quartiles, or the most frequent categories."""
    import numpy as np

    from mlctl.monitoring.summaries.kinds import kind_of, numbers, words
    from mlctl.reports.scales import short

    kind = kind_of(reference)
    if kind == "numeric":
        sides = [numbers(side).to_numpy().astype(float) for side in (reference, current)]
        some = sides[0][~np.isnan(sides[0])]
        if not some.size:
            return [], (np.empty(0, np.int64), np.empty(0, np.int64))
        edges = np.unique(np.quantile(some, [0.25, 0.5, 0.75]))
        places = [
            np.where(np.isnan(side), edges.size + 1, np.searchsorted(edges, side, side="left"))
            for side in sides
        ]
        shown = [short(edge, 3) for edge in edges.tolist()]
        between = [f"{a} to {b}" for a, b in pairwise(shown)]
        labels = [f"up to {shown[0]}", *between, f"above {shown[-1]}", "missing"]
        return labels, (places[0].astype(np.int64), places[1].astype(np.int64))
    if kind != "categorical":
        return [], (np.empty(0, np.int64), np.empty(0, np.int64))
    texts = [words(side, reference.dtype).fill_null("(missing)") for side in (reference, current)]
    counts = texts[1].alias("value").value_counts(name="rows")
    labels = counts.sort(["rows", "value"], descending=[True, False])["value"].to_list()[:_GROUPS]
    codes = [np.full(text.len(), -1, np.int64) for text in texts]
    for place, label in enumerate(labels):
        for code, text in zip(codes, texts, strict=True):
            code[(text == label).to_numpy()] = place
    return [f"= {label}" for label in labels], (codes[0], codes[1])


def _text(group: _Group) -> str:
    then, now = group.before[1], group.after[1]
    words = f"{group.column} {group.label}: loss {_number(then)} → {_number(now)}"
    if abs(group.after[0] - group.before[0]) >= 0.05:
        words += f", {group.before[0]:.0%} → {group.after[0]:.0%} of the rows"
    return f"{words}; {min(1.0, group.part):.0%} of the change"


def _number(value: float) -> str:
    from mlctl.reports.scales import short

    return short(value, 3)


def _of_drift(columns: Sequence[ColumnReport], slices: Sequence[SliceReport]) -> list[Cause]:
    """Drifted columns by their effect, and slices in which more drifted than in the whole."""
    drifted = [c for c in columns if c.state == "drift" and c.role == "feature"]
    total = sum(_weight(c) for c in drifted)
    found = [
        Cause("column", c.name, round(_weight(c) / total, 4), _drift_text(c))
        for c in sorted(drifted, key=lambda c: (-_weight(c), c.name))
        if total
    ]
    whole = {c.name for c in columns if c.state == "drift"}
    if len(whole) <= 1:
        found = []  # the verdict names it already
    for part in slices:
        own = [name for name, _, _ in part.drifted if name not in whole]
        if own:
            text = f"{part.name}: {', '.join(own[:3])} drifted there only"
            found.append(Cause("slice", part.name, 0.0, text))
    return found


def _weight(column: ColumnReport) -> float:
    gone = abs(column.missing[1] - column.missing[0])
    return max(column.effect or 0.0, gone, column.new_categories)


def _drift_text(column: ColumnReport) -> str:
    from mlctl.reports.scales import short

    if column.reasons == ("missing",):
        return f"{column.name}: {column.missing[0]:.0%} → {column.missing[1]:.0%} missing"
    moved = column.metrics.get("wasserstein")
    by = f", moved by {short(moved, 3)} standard deviations" if moved is not None else ""
    return f"{column.name}: effect {short(column.effect, 3)}{by}"
