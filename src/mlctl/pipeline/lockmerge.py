"""Merging versions of one `dvc.lock`, stage by stage. Pure.

A text merge may put an entry together from the lines of both sides: a record of something that
never ran. Here an entry is taken whole from one side, or not at all. What one side alone changed is
taken; where sides changed an entry differently it is dropped, so that this stage, and no other, is
derived again: neither side's record fits the merged code and data, and what a run did before comes
back from the run-cache.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal, TypeVar

from mlctl.adapters import yaml
from mlctl.errors import ConfigError
from mlctl.pipeline import lockfile, locktext
from mlctl.pipeline.lockfile import Lock
from mlctl.pipeline.spec import LockedStage

T = TypeVar("T")
_MARKER = re.compile(r"(<{7,}|\|{7,}|={7,}|>{7,})(?: .*)?")
_DEEPEST = 3  # conflicts inside of conflicts: nobody resolves more by hand either


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged lock: its text, and its stages as data.

    `kept` are the stages that the sides differ in and whose entry was taken from one of them;
    `dropped` are those that sides changed differently.
    """

    text: str
    stages: Mapping[str, LockedStage]
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def merge_texts(base: str | None, sides: Sequence[str], *, name: str) -> Merge:
    """The merge of the locks `sides`, which come from `base` (None or empty where unknown).

    Raises ConfigError, with `name`, for a side that is no lock, and where the sides disagree about
    a dataset: its entry is a decision that no run can derive again. A base that is no lock is none.
    """
    locks = [lockfile.parse_text(_unix(text), name=name) for text in sides]
    try:
        old = lockfile.parse_text(_unix(base or ""), name=name)
    except ConfigError:
        old = Lock()
    return _merge(old, locks, name)


def merge_marked(text: str, *, name: str) -> Merge:
    """The merge of the versions that git's conflict markers in `text` hold.

    What git merged as text outside of them is taken for what both sides have: whoever knows the
    whole versions calls `merge_texts`.

    Raises ConfigError where the markers do not match, or a version is no lock.
    """
    line = next(n for n, row in enumerate(_unix(text).split("\n"), 1) if _MARKER.fullmatch(row))
    base, sides = versions(text)
    if sides:
        try:
            return merge_texts(base, sides, name=name)
        except ConfigError as error:
            problem = f": {error.message}"
    else:
        problem = ", which do not match"
    raise ConfigError(
        f"holds git conflict markers{problem}",
        file=name,
        line=line,
        hint=f"take either side (`git checkout --ours {name}`), then run the pipeline again",
    )


def has_markers(text: str) -> bool:
    """Whether git left conflict markers in `text`."""
    return "<<<<<<<" in text and yaml.CONFLICT.search(text) is not None


# Entries


def _merge(base: Lock, locks: Sequence[Lock], name: str) -> Merge:
    stages, clashes = _choose(base.stages, [lock.stages for lock in locks], _stage_form)
    datasets, disputed = _choose(
        _by_name(base.datasets), [_by_name(lock.datasets) for lock in locks], _data_form
    )
    if disputed:
        raise ConfigError(
            "the sides disagree about this dataset",
            file=name,
            where=f"datasets.{disputed[0]}",
            hint=f"take either side of the file, then `dvc ds update {disputed[0]}`",
        )
    forms = [_forms(lock.stages, _stage_form) for lock in locks]
    kept = tuple(key for key in stages if any(form.get(key) != forms[0].get(key) for form in forms))
    # Where one side has it all, in whatever order and form, its text is what it changed.
    locks = sorted(locks, key=lambda lock: lock.text == base.text)
    return Merge(_text(locks, stages, tuple(datasets.values())), stages, kept, clashes)


def _choose(
    base: Mapping[str, T], sides: Sequence[Mapping[str, T]], form: Callable[[str, T], str]
) -> tuple[dict[str, T], tuple[str, ...]]:
    """What is left of each name, in the order of the sides, and the names that clash."""
    old = _forms(base, form)
    forms = [_forms(side, form) for side in sides]
    chosen, clashes = {}, []
    for key in dict.fromkeys(key for side in sides for key in side):
        found = {texts.get(key): side.get(key) for texts, side in zip(forms, sides, strict=True)}
        if len(found) > 1:
            found.pop(old.get(key), None)
        if len(found) > 1:
            clashes.append(key)
            continue
        [value] = found.values()
        if value is not None:
            chosen[key] = value
    return chosen, tuple(clashes)


def _forms(items: Mapping[str, T], form: Callable[[str, T], str]) -> dict[str, str]:
    return {key: form(key, value) for key, value in items.items()}


# Entries are compared as they are written: 1, 1.0 and true are equal in Python, and not in a lock.
def _stage_form(name: str, locked: LockedStage) -> str:
    return lockfile.stage_text(name, locked)


def _data_form(_name: str, data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)


def _by_name(datasets: Iterable[Any]) -> dict[str, Any]:
    return {str(d.get("name") if isinstance(d, Mapping) else d): d for d in datasets}


# Text


def _text(
    locks: Sequence[Lock], stages: Mapping[str, LockedStage], datasets: tuple[Any, ...]
) -> str:
    """The first side's text that says just this, or the first side's text made to say it."""
    wanted = _forms(stages, _stage_form), _data_form("", list(datasets))
    for lock in locks:
        if wanted == (_forms(lock.stages, _stage_form), _data_form("", list(lock.datasets))):
            return lock.text
    first = locks[0]
    there = _forms(first.stages, _stage_form)
    updates = {n: stage for n, stage in stages.items() if wanted[0][n] != there.get(n)}
    text = lockfile.splice(first.text, updates, list(stages))
    text = _without(text, [name for name in first.stages if name not in stages])
    return text if list(datasets) == list(first.datasets) else _with_datasets(text, datasets)


def _without(text: str, names: Sequence[str]) -> str:
    """The lock without the stages `names`: what DVC would write, had it never known them."""
    if not names:
        return text
    parts = locktext.split(text)
    if parts is None:
        data = yaml.load_roundtrip(text, name="dvc.lock")
        for name in names:
            del data["stages"][name]
        if not data["stages"]:
            del data["stages"]
        return yaml.dump_roundtrip(data)
    before, pieces, after = parts
    left = [piece for name, piece in pieces.items() if name not in names]
    return (before if left else before.removesuffix("stages:\n")) + "".join(left) + after


def _with_datasets(text: str, datasets: tuple[Any, ...]) -> str:
    data = yaml.load_roundtrip(text, name="dvc.lock") or {"schema": lockfile.SCHEMA}
    data["datasets"] = json.loads(json.dumps(datasets))  # plain data, of which nothing is shared
    return yaml.dump_roundtrip(data)


# Markers


@dataclass(slots=True)
class _Conflict:
    """One conflict: what stands between its markers, conflicts among them; no `base` without it."""

    size: int
    parts: dict[Literal["ours", "base", "theirs"], list[str | _Conflict]] = field(
        default_factory=lambda: {"ours": []}
    )


def versions(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The whole texts that the markers in `text` hold: the base, if it is there, and the sides.

    No sides where the markers do not match. A conflict inside a side stands for two versions of it.
    """
    nodes = _parse(_unix(text))
    if nodes is None or not 0 < (depth := _depth(nodes)) <= _DEEPEST:
        return None, ()
    choices = product(("ours", "theirs"), repeat=depth)
    sides = tuple(dict.fromkeys("\n".join(_render(nodes, choice)) for choice in choices))
    known = all("base" in node.parts for node in nodes if isinstance(node, _Conflict))
    base = "\n".join(_render(nodes, ("base", *["ours"] * depth))) if known else None
    return base, sides


def _parse(text: str) -> list[str | _Conflict] | None:
    top: list[str | _Conflict] = []
    stack: list[_Conflict] = []
    current = top
    for line in text.split("\n"):
        mark = _MARKER.fullmatch(line)
        if mark is None:
            current.append(line)
            continue
        kind, size = mark[1][0], len(mark[1])
        if kind == "<":
            opened = _Conflict(size)
            current.append(opened)
            stack.append(opened)
            current = opened.parts["ours"]
            continue
        if not stack or stack[-1].size != size:
            return None
        parts = stack[-1].parts
        if kind == "|" and list(parts) == ["ours"]:
            current = parts["base"] = []
        elif kind == "=" and "theirs" not in parts:
            current = parts["theirs"] = []
        elif kind == ">" and "theirs" in parts:
            stack.pop()
            current = list(stack[-1].parts.values())[-1] if stack else top
        else:
            return None
    return None if stack else top


def _depth(nodes: Iterable[str | _Conflict]) -> int:
    """How deep conflicts of the sides nest; what stands in a base makes no more sides."""
    return max(
        (
            1 + max(_depth(part) for name, part in node.parts.items() if name != "base")
            for node in nodes
            if isinstance(node, _Conflict)
        ),
        default=0,
    )


def _render(nodes: Iterable[str | _Conflict], choice: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            lines.append(node)
        else:
            part = choice[0] if choice else "ours"
            lines += _render(node.parts[part], choice[1:])  # type: ignore[index]
    return lines


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
