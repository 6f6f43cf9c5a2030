"""A reason of the plan as one line that a person reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from difflib import SequenceMatcher
from typing import Any

from mlctl.cli._text import clip, some, value_text
from mlctl.pipeline.plan import Reason

_CONTEXT = 2  # unchanged words shown on each side of a changed one
_ALIKE = 0.4  # below this share of common words, two commands are shown whole
_LONGEST = 60
MANY = 8  # reasons of one stage that are shown to people; JSON has all

_COLOURS = {"new": "32", "deleted": "31", "not in cache": "31", "missing": "31"}


def reason_text(reason: Reason) -> str:
    """`params.yaml: train.lr 0.1 → 0.2`, `data/raw.csv modified`, `after prepare`, …"""
    match reason.kind:
        case "cmd":
            return _command(reason)
        case "param":
            return f"{reason.path}: {_parameter(reason)}"
        case "dep" | "out":
            return _file(reason)
        case "always":
            return "always runs"
        case "upstream":
            return f"after {reason.path}"
        case "forced":
            return "forced"


def reason_colour(reason: Reason) -> str:
    """The ANSI style of a reason's line: `2` (dim) for what only follows from another stage."""
    if reason.kind in {"upstream", "always", "forced"}:
        return "2"
    return _COLOURS.get(reason.detail or "", "33")


def reason_lines(reasons: Sequence[Reason], *, limit: int | None = None) -> list[tuple[str, str]]:
    """Lines with their styles; all that only follows stands in one line, `after …`, the last.

    Past `limit` reasons of its own, the rest is counted in one line.
    """
    own = [(reason_text(r), reason_colour(r)) for r in reasons if r.kind != "upstream"]
    before = [r.path or "" for r in reasons if r.kind == "upstream"]
    if limit is not None and len(own) > limit:
        own[limit - 1 :] = [(f"… and {len(own) - limit + 1} more reasons", "2")]
    return [*own, (f"after {some(before)}", "2")] if before else own


def reason_json(reason: Reason) -> dict[str, Any]:
    """The fields of the reason that say something, and `text`, the line for people."""
    fields = {name: value for name, value in asdict(reason).items() if value is not None}
    if reason.kind in {"cmd", "param"}:
        fields |= {"old": reason.old, "new": reason.new}
    return {**fields, "text": reason_text(reason)}


def _file(reason: Reason) -> str:
    if reason.detail == "no lock entry":
        return f"{reason.path} not recorded yet" if reason.path else "not run yet"
    return f"{reason.path} {reason.detail or 'changed'}"


def _parameter(reason: Reason) -> str:
    name = reason.name or "the whole file"
    match reason.detail:
        case "new":
            return f"{name} new ({value_text(reason.new)})"
        case "deleted":
            return f"{name} deleted"
        case "no lock entry":
            return f"{name} not recorded yet"
    return f"{name} {value_text(reason.old)} → {value_text(reason.new)}"


def _command(reason: Reason) -> str:
    if reason.old is None:
        return "not run yet"
    old, new = _words(reason.old), _words(reason.new)
    if old == new:
        return "command changed (only in its white space)"
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return f"command changed: {clip(' '.join(old), _LONGEST)} → {clip(' '.join(new), _LONGEST)}"
    return f"command changed: {' '.join(_word_diff(matcher, old, new))}"


def _words(command: Any) -> list[str]:
    lines = command.splitlines() if isinstance(command, str) else [str(c) for c in command or ()]
    return " ; ".join(lines).split()


def _word_diff(matcher: SequenceMatcher[str], old: list[str], new: list[str]) -> Iterator[str]:
    """Changed words as `old → new`, `[-gone-]` or `{+added+}`, with a few unchanged ones around."""
    codes = matcher.get_opcodes()
    for index, (tag, a, b, c, d) in enumerate(codes):
        before, after = clip(" ".join(old[a:b]), _LONGEST), clip(" ".join(new[c:d]), _LONGEST)
        if tag == "equal":
            yield from _context(old[a:b], first=index == 0, last=index == len(codes) - 1)
        elif tag == "insert":
            yield f"{{+{after}+}}"
        elif tag == "delete":
            yield f"[-{before}-]"
        elif b - a == d - c == 1:
            yield f"{before} → {after}"
        else:
            yield f"[-{before}-]{{+{after}+}}"


def _context(words: list[str], *, first: bool, last: bool) -> list[str]:
    head = [] if first else words[:_CONTEXT]
    tail = [] if last else words[max(len(head), len(words) - _CONTEXT) :]
    return words if len(head) + len(tail) >= len(words) - 2 else [*head, "…", *tail]
