"""How `mlctl exp diff` shows what differs, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.cli._output import say, styled
from mlctl.cli._values import number, print_table
from mlctl.experiments.again.codes import CodeDifference
from mlctl.experiments.again.difference import Change, Difference
from mlctl.experiments.again.side import Side
from mlctl.records.ulid import short_form
from mlctl.reports.markdown import escape

_DIGITS = 5
_FEW = 20  # packages and files that are shown


@dataclass(frozen=True, slots=True)
class _Part:
    """A titled table; columns from the second on are aligned to the right where `numbers`."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool = False
    note: str = ""


def print_difference(
    old: Side,
    new: Side,
    names: tuple[str, str],
    found: Difference,
    codes: CodeDifference,
    *,
    markdown: bool,
) -> None:
    """The parts that differ, and at the end in one line what is the same."""
    a, b = (
        name if name == "workspace" else short_form(side.head.id)
        for name, side in zip(names, (old, new), strict=True)
    )
    parts = list(_parts(a, b, found, codes))
    shown = [part for part in parts if part.rows or part.note]
    for part in shown:
        _print(part, markdown)
    same = [part.title.lower() for part in parts if not part.rows and not part.note]
    if not shown:
        say(f"No difference between {a} and {b}.")
    elif same:
        say(f"The same: {', '.join(same)}.")


def _print(part: _Part, markdown: bool) -> None:
    say(f"### {part.title}\n" if markdown else styled(part.title, "1"))
    if part.rows:
        right = tuple(range(1, len(part.head))) if part.numbers else ()
        print_table(part.head, part.rows, markdown=markdown, right=right)
    if part.note:
        say(escape(part.note) if markdown else part.note)
    say()


def _parts(a: str, b: str, found: Difference, codes: CodeDifference) -> Iterator[_Part]:
    metrics = [
        [
            m.name,
            number(m.old, _DIGITS),
            number(m.new, _DIGITS),
            _signed(m.difference),
            _percent(m.relative),
        ]
        for m in found.metrics
    ]
    yield _Part("Metrics", ["Metric", a, b, "Change", "Relative"], metrics, numbers=True)
    yield _Part("Parameters", ["Parameter", a, b], _rows(found.params))
    params = {change.name for change in found.params}
    seeds = [change for change in found.seeds if change.name not in params]
    if seeds or not found.seeds:  # else they stand among the parameters, and are not the same
        yield _Part("Seeds", ["Seed", a, b], _rows(seeds))
    yield _code(codes)
    data = [
        [it.path, it.stage, it.kind, _digest(it.old), _digest(it.new)]
        for it in found.data
        if it.kind != "code"
    ]
    yield _Part("Data", ["Path", "Stage", "Kind", a, b], data)
    if found.packages is None:
        yield _Part("Packages", (), (), note="A run has no packages recorded.")
    else:
        left = len(found.packages) - _FEW
        note = f"… and {left} more: see --json" if left > 0 else ""
        yield _Part("Packages", ["Package", a, b], _rows(found.packages[:_FEW]), note=note)
    yield _Part("Machine", ["Machine", a, b], _rows(found.hardware))
    yield _Part("Commands", ["Stage", a, b], _rows(found.commands))


def _code(codes: CodeDifference) -> _Part:
    rows = [[file.path, _lines("+", file.added), _lines("-", file.removed)] for file in codes.files]
    note = codes.reason or ""
    if len(rows) > _FEW:
        note = f"… and {len(rows) - _FEW} more files"
    return _Part("Code", ["File", "Added", "Removed"], rows[:_FEW], numbers=True, note=note)


def _rows(changes: Sequence[Change]) -> list[list[str]]:
    return [[change.name, _value(change, "old"), _value(change, "new")] for change in changes]


def _value(change: Change, side: str) -> str:
    missing = {"old": "added", "new": "removed"}[side] == change.what
    value: Any = getattr(change, side)
    return "-" if missing else number(value, None) if value is not None else "null"


def _digest(text: str | None) -> str:
    """The start of a digest, with its kind."""
    if text is None:
        return "-"
    kind, _, value = text.partition(":")
    return f"{kind}:{value[:8]}" + (".dir" if value.endswith(".dir") else "")


def _signed(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.{_DIGITS}g}" if isinstance(value, float) else f"{value:+d}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _lines(sign: str, count: int | None) -> str:
    return "binary" if count is None else f"{sign}{count}"
