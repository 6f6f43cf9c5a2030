"""A run of another tool, as importers read it and before it is a record of ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlctl.records.run_metrics import StepLine

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"True": True, "False": False, "None": None}

Point = tuple[str, float, float, float]  # metric, step, seconds since 1970, value


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file or folder that a run logged: its name there, and where it lies here."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """One run. `id` is what the run is called there, for ever and on every machine.

    `started` and `ended` are seconds since 1970; the `t` of `steps` are seconds since `started`.
    `metrics` are those that have no step. `commit` is that of its code, 40 hex digits.
    `parent` is the id of the run that it is a part of, as a trial is of a search; `ours` the id
    that the run has here, where it was exported from here.
    """

    source: str
    id: str
    started: float
    ended: float
    status: str = "finished"
    name: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[StepLine, ...] = ()
    tags: tuple[str, ...] = ()
    notes: str = ""
    commit: str | None = None
    branch: str | None = None
    python: str = ""
    platform: str = ""
    argv: tuple[str, ...] = ()
    parent: str | None = None
    ours: str | None = None
    files: tuple[ForeignFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """What is not imported, and why: `damaged`, or left out on purpose (deleted, still running)."""

    where: str
    reason: str
    damaged: bool = False


Found = ForeignRun | Unread


def typed(text: str) -> Any:
    """The value that a tool wrote as text: a number, True, False or None, else the text."""
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if any(mark in text for mark in ".eE") else int(text)
    return text


def step_lines(points: Iterable[Point], started: float) -> tuple[StepLine, ...]:
    """Points as lines, in the order of time: those of one step and one moment share a line."""
    lines: dict[tuple[float, float], dict[str, float]] = {}
    for metric, step, seconds, value in sorted(points, key=lambda it: (it[2], it[1])):
        lines.setdefault((seconds, step), {})[metric] = value
    return tuple(
        StepLine(metrics, _plain(step), round(seconds - started, 3))
        for (seconds, step), metrics in lines.items()
    )


def _plain(step: float) -> float:
    """A step that is whole is written as such."""
    return int(step) if step == step and abs(step) < 2**53 and step == int(step) else step
