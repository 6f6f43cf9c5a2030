"""What a pull request changes, as a comment for GitHub and GitLab. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.data.diffing.render import to_markdown
from mlctl.experiments.query import short_ids
from mlctl.experiments.table import metric_names, param_names, short_names
from mlctl.monitoring.verdicts import BAD
from mlctl.outputs.plots import Curve, Plot
from mlctl.outputs.values import Change
from mlctl.projects.pull_request.gather import PullRequest, Validation
from mlctl.projects.pull_request.monitored import Monitored
from mlctl.reports.markdown import Raw, code, escape, table

LIMIT = 65_536  # characters of a comment on GitHub
MARK = "<!-- mlctl report pr -->"  # by which a script finds the comment that it wrote before
_ROWS = 40  # of one table
_LONGEST = 80  # characters of a value
_METRICS, _PARAMS = 4, 3  # columns of the table of runs
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 24  # characters of a curve
_NEW = "—"


@dataclass(frozen=True, slots=True)
class _Section:
    """One part: what the summary says of it, and its text, folded away where it is long."""

    title: str
    summary: str
    text: str
    folded: bool = False


def to_comment(it: PullRequest) -> str:
    """The whole comment, `LIMIT` characters at most; what has no room is named."""
    sections = [section for section in _sections(it) if section is not None]
    top = f"{MARK}\n## {code(it.a)} → {code(it.b)}\n\n"
    if not sections:
        said = "No metric, parameter, plot, data set or run differs.\n"
        return top + said + _notes(it)
    top += " · ".join(section.summary for section in sections) + "\n"
    text, left_out = top, []
    room = LIMIT - len(_notes(it)) - 500  # for the line on what is left out
    for section in sections:
        part = _drawn(section)
        if len(text) + len(part) <= room:
            text += part
        else:
            left_out.append(section.title)
    if left_out:
        text += f"\n*Too long for a comment: {', '.join(left_out)}.*\n"
    return text + _notes(it)


def _sections(it: PullRequest) -> Iterator[_Section | None]:
    yield _values(it, it.metrics, "Metrics", "metric")
    yield _values(it, it.params, "Parameters", "parameter")
    yield _validations(it.validations)
    yield _monitored(it.monitored)
    yield _runs(it)
    yield _data(it)
    yield _plots(it)


def _drawn(section: _Section) -> str:
    if not section.folded:
        return f"\n### {section.title}\n\n{section.text}"
    head = f"<details><summary><b>{section.title}</b>: {section.summary}</summary>"
    return f"\n{head}\n\n{section.text}\n</details>\n"


def _notes(it: PullRequest) -> str:
    shown = [f"- {escape(_clip(note, 300))}" for note in it.notes[:_ROWS]]
    return "\n### Could not be read\n\n" + "\n".join(shown) + "\n" if shown else ""


def _values(it: PullRequest, changes: Sequence[Change], title: str, noun: str) -> _Section | None:
    if not changes:
        return None
    several = len({change.path for change in changes}) > 1
    rows = [
        [
            *([code(change.path)] if several else []),
            Raw(code(_clip(change.name or change.path))),
            Raw(_value(change.old)),
            Raw(_value(change.new)),
            Raw(_difference(change)),
        ]
        for change in changes[:_ROWS]
    ]
    rows = [[Raw(cell) for cell in row] for row in rows]
    head = [*(["File"] if several else []), title[:-1], it.a, it.b, "Change"]
    right = " " * (len(head) - 3) + "rrr"
    text = table(head, rows, right=right) + _more(len(changes), noun)
    return _Section(title, f"{_count(len(changes), noun)} changed", text)


def _difference(change: Change) -> str:
    if change.old is None:
        return "new"
    if change.new is None:
        return "gone"
    if change.diff is None:
        return ""
    relative = f" ({change.diff / abs(change.old):+.1%})" if change.old else ""
    arrow = "▲" if change.diff > 0 else "▼"
    return escape(f"{arrow} {change.diff:+.4g}{relative}")


def _value(value: Any) -> str:
    if value is None:
        return _NEW
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return escape(_clip(text))


def _validations(found: Sequence[Validation]) -> _Section | None:
    if not found:
        return None
    bad = [it for it in found if not it.valid]
    rows = [
        ["✗" if not it.valid else "✓", it.dataset, it.data, it.checks, len(it.failures)]
        for it in found[:_ROWS]
    ]
    text = table(["", "Data set", "Data", "Checks", "Failures"], rows, right="   rr")
    for it in bad[:_ROWS]:
        lines = [f"- {_failure(failure)}" for failure in it.failures[:10]]
        lines += [f"- and {len(it.failures) - 10} more"] if len(it.failures) > 10 else []
        text += f"\n{code(it.dataset)}:\n\n" + "\n".join(lines) + "\n"
    said = f"{_count(len(bad), 'data set')} invalid ✗" if bad else "data valid ✓"
    return _Section("Validation", said, text + _more(len(found), "verdict"))


def _monitored(found: Sequence[Monitored]) -> _Section | None:
    if not found:
        return None
    bad = [it for it in found if it.verdict in BAD]
    shown = sorted(found, key=lambda it: it.verdict not in BAD)[:_ROWS]
    rows = [
        ["✗" if it.verdict in BAD else "✓", it.monitor, it.period, it.verdict, _clip(it.said, 200)]
        for it in shown
    ]
    text = table(["", "Monitor", "Period", "Verdict", "What"], rows)
    said = f"{_count(len(bad), 'period')} bad ✗" if bad else "monitors quiet ✓"
    return _Section("Monitors", said, text + _more(len(found), "report"))


def _failure(failure: dict[str, Any]) -> str:
    column = failure.get("column")
    where = f"{code(_clip(str(column)))}: " if column else ""
    count = failure.get("count")
    rows = f" ({_count(count, 'row')})" if isinstance(count, int) and count else ""
    return f"{where}{escape(_clip(str(failure.get('check'))))}{rows}"


def _runs(it: PullRequest) -> _Section | None:
    runs = it.runs
    if not runs.total:
        return None
    heads = [*runs.newest, *([runs.before] if runs.before else [])]
    metrics, params = metric_names(heads)[:_METRICS], param_names(heads)[:_PARAMS]
    short, ids = short_names([*metrics, *params]), short_ids([head.id for head in heads])
    marks = {"finished": "✓", "failed": "✗", "interrupted": "!"}
    rows = [
        [
            marks[head.status],
            Raw(code(ids[head.id]) + (f" on {code(it.a)}" if head is runs.before else "")),
            _clip(head.name or ", ".join([*head.failed, *head.ran]), 40),
            *(Raw(_value(head.metrics.get(name))) for name in metrics),
            *(Raw(_value(head.params.get(name))) for name in params),
        ]
        for head in heads
    ]
    columns = ["", "Run", "Ran", *(short[name] for name in (*metrics, *params))]
    text = table(columns, rows, right="   " + "r" * len(metrics))
    shown = len(runs.newest)
    more = f"\n… and {runs.total - shown:,} more runs.\n" if runs.total > shown else ""
    said = f"{_count(runs.total, 'new run')}"
    return _Section("Runs", said, text + more, folded=shown > 5)


def _data(it: PullRequest) -> _Section | None:
    if it.data is None or not it.data.data:
        return None
    text = to_markdown(it.data).split("\n\n", 1)[1]
    deeper = "\n".join(f"##{line}" if line.startswith("## ") else line for line in text.split("\n"))
    return _Section("Data", f"{_count(len(it.data.data), 'data set')} changed", deeper, folded=True)


def _plots(it: PullRequest) -> _Section | None:
    if not it.plots:
        return None
    rows: list[list[object]] = []
    images: list[str] = []
    for plot in it.plots:
        images += sorted({image.path for image in plot.images})
        rows += _curve_rows(it, plot)
    text = table(["Plot", it.a, it.b], rows[:_ROWS]) if rows else ""
    text += _more(len(rows), "curve")
    if images:
        named = ", ".join(code(path) for path in images[:_ROWS])
        text += f"\nPictures that changed: {named}\n"
    return _Section("Plots", f"{_count(len(it.plots), 'plot')} changed", text, folded=True)


def _curve_rows(it: PullRequest, plot: Plot) -> Iterator[list[object]]:
    by_name: dict[tuple[str, str], dict[str, Curve]] = {}
    for curve in plot.curves:
        by_name.setdefault((curve.path, curve.field), {})[curve.rev] = curve
    for (_, field), sides in by_name.items():
        title = plot.definition.title
        name = title if title == field else f"{title}: {field}"
        values = [_finite(sides.get(rev)) for rev in (it.a, it.b)]
        every = [value for side in values for value in side]
        yield [_clip(name), *(Raw(_curve(side, every)) for side in values)]


def _finite(curve: Curve | None) -> list[float]:
    return [value for value in curve.y if _is_finite(value)] if curve is not None else []


def _curve(values: Sequence[float], every: Sequence[float]) -> str:
    """`▁▃▅█ 0.91`: the curve in a line of characters, on the scale of `every`, and its end."""
    if not values:
        return _NEW
    size = min(len(values), _WIDTH)
    picked = [values[index * len(values) // size] for index in range(size - 1)] + [values[-1]]
    least, most, top = min(every), max(every), len(_BARS) - 1
    scaled = (round((y - least) / (most - least) * top) if most > least else 0 for y in picked)
    return f"{code(''.join(_BARS[at] for at in scaled))} {escape(f'{values[-1]:.4g}')}"


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _more(number: int, noun: str) -> str:
    return f"\n… and {_count(number - _ROWS, f'more {noun}')}.\n" if number > _ROWS else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _clip(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
