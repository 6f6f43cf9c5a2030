"""A first monitor, proposed from data."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlctl.errors import InvalidInput
from mlctl.monitoring.cuts import Source
from mlctl.monitoring.sources import opened
from mlctl.monitoring.spec import MIN_ROWS, Where

if TYPE_CHECKING:
    import polars as pl

StrPath = str | os.PathLike[str]
_TIMES = ("at", "time", "timestamp", "created_at", "date", "datetime", "ts")
_IDS = ("id", "request_id", "uuid", "key")
_PREDICTED = ("prediction", "predicted", "pred", "y_pred", "y_hat")
_UNITS = (("hour", 3600), ("day", 86_400), ("week", 604_800), ("month", 2_592_000))
_SLICE_VALUES = 8
_LOOKED_AT = 200_000  # rows


@dataclass(frozen=True, slots=True)
class Guess:
    """What the data look like; empty where nothing was found."""

    time: str = ""
    every: str = ""
    id: str = ""
    predicted: str = ""
    scores: dict[str, str] = field(default_factory=dict)
    label: str = ""
    labels_key: str = ""
    labels_time: str = ""
    task: str = ""
    slices: tuple[str, ...] = ()
    season: str = ""
    min_rows: int = MIN_ROWS


def propose(root: StrPath, current: str, reference: str | None, labels: str | None = None) -> str:
    """The text of a monitor that compares `current` with `reference` (None: with periods before).

    `labels` is the table of labels that come late. The same data give the same text. Raises
    InvalidInput where a path has no table.
    """
    with ExitStack() as stack:
        here = stack.enter_context(opened(root, Where(path=current), role="current"))
        there = None
        if reference is not None:
            there = stack.enter_context(opened(root, Where(path=reference), role="reference"))
        known = None
        if labels is not None:
            known = stack.enter_context(opened(root, Where(path=labels), role="labels"))
        guess = _guess(here, there, known)
    if reference is None and not guess.every:
        raise InvalidInput(
            f"{current} has no time column to compare periods by",
            hint="--reference PATH names the data to compare with",
        )
    return _text(current, reference, labels, guess)


def _guess(current: Source, reference: Source | None, labels: Source | None) -> Guess:
    names = list(current.schema)
    time = _time(current)
    every, season = _every(current, time) if time else ("", "")
    ident = _id(current)
    predicted = next((n for n in names if n.lower() in _PREDICTED), "")
    scores = {n[2:]: n for n in names if n.startswith("p_") and current.schema[n].is_float()}
    label, key, known_at = _labels(current, reference, labels, ident)
    task = ""
    if predicted:
        numeric = current.schema[predicted].is_float() and not scores
        task = "regression" if numeric else "classification"
    skip = {time, ident, predicted, label, *scores.values()}
    return Guess(
        time, every, ident, predicted, scores, label, key, known_at,
        task if label else "", _slices(current, skip), season,
    )  # fmt: skip


def _time(source: Source) -> str:
    """The column of moments: by its name first, else the only one by its type."""
    import polars as pl

    moments = [n for n, kind in source.schema.items() if kind in (pl.Date, pl.Datetime)]
    named = [
        n for n in source.schema if n.lower() in _TIMES and (n in moments or _parses(source, n))
    ]
    return named[0] if named else moments[0] if len(moments) == 1 else ""


def _parses(source: Source, name: str) -> bool:
    from mlctl.monitoring.periods import moments

    if source.schema[name].is_float():
        return False
    try:
        found, _ = moments(source.read([name])[name].head(1000), "UTC", path="")
    except InvalidInput:
        return False
    return found.null_count() < found.len()


def _every(source: Source, time: str) -> tuple[str, str]:
    """The shortest period that usually has enough rows, and a season where the span shows one."""
    from mlctl.monitoring.periods import moments

    at, _ = moments(source.read([time])[time], "UTC", path=source.ref.path)
    known = at.drop_nulls().dt.timestamp("us")
    if not known.len():
        return "", ""
    span = (int(known.max()) - int(known.min())) / 1e6  # type: ignore[arg-type]
    for unit, seconds in _UNITS:
        if known.len() / max(1.0, span / seconds) >= 2 * MIN_ROWS or unit == "month":
            season = "weekday" if unit == "day" and span >= 8 * 604_800 else ""
            return unit, season
    return "", ""


def _id(source: Source) -> str:
    for name in source.schema:
        if name.lower() in _IDS or name.lower().endswith("_id"):
            values = source.read([name])[name].head(_LOOKED_AT)
            if values.n_unique() > 0.99 * values.len():
                return name
    return ""


def _labels(
    current: Source, reference: Source | None, labels: Source | None, ident: str
) -> tuple[str, str, str]:
    """The column of the label, the key it is joined by, and when it became known."""
    if labels is None:
        return "", "", ""
    shared = [name for name in labels.schema if name in current.schema]
    key = ident if ident in shared else shared[0] if shared else ""
    time = _time(labels)
    left = [name for name in labels.schema if name not in {key, time}]
    both = [name for name in left if reference is not None and name in reference.schema]
    return (both or left or [""])[0], key, time


def _slices(source: Source, skip: set[str]) -> tuple[str, ...]:
    import polars as pl

    found = []
    for name, kind in source.schema.items():
        if name in skip or kind not in (pl.String, pl.Boolean, pl.Categorical):
            continue
        values: pl.Series = source.read([name])[name].head(_LOOKED_AT)
        if 2 <= values.drop_nulls().n_unique() <= _SLICE_VALUES:
            found.append(name)
    return tuple(found[:2])


def _text(current: str, reference: str | None, labels: str | None, guess: Guess) -> str:
    lines = ["schema: mlctl.monitor/1", f"current: {{path: {_word(current)}}}"]
    if guess.time:
        lines.append(f"time: {_word(guess.time)}")
    if guess.every:
        lines.append(f"every: {guess.every} # the shortest period that usually has enough rows")
    if guess.id:
        lines.append(f"id: {_word(guess.id)}")
    if reference is None:
        lines.append("reference: {before: 4} # the four periods before, taken together")
    else:
        lines.append(f"reference: {{path: {_word(reference)}}}")
    if guess.season:
        lines.append(f"# season: {guess.season} # compare Mondays with Mondays")
    if guess.slices:
        lines.append(f"slices: [{', '.join(map(_word, guess.slices))}]")
    if guess.predicted:
        scores = ", ".join(f"{_word(c)}: {_word(n)}" for c, n in guess.scores.items())
        more = f", scores: {{{scores}}}" if scores else ""
        lines.append(f"predictions: {{value: {_word(guess.predicted)}{more}}}")
    if labels is not None and guess.label:
        parts = [f"path: {_word(labels)}", f"key: {_word(guess.labels_key)}"]
        parts.append(f"column: {_word(guess.label)}")
        if guess.labels_time:
            parts += [f"time: {_word(guess.labels_time)}", "wait: 7d"]
        lines.append(f"labels: {{{', '.join(parts)}}}")
    if guess.task:
        lines.append(f"performance: {{task: {guess.task}}}")
    lines += [
        f"min_rows: {guess.min_rows} # fewer are not judged",
        "thresholds: {q: 0.005, effect: 0.1} # at most one false alarm in 200 periods",
        "alarm: {after: 1, of: 1} # {after: 2, of: 3} waits for a second bad period",
        "fail_on: never # drift, degraded or alarm: exit code 1",
    ]
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    """The text as YAML has it, in quotes where it could be read as something else."""
    plain = text.replace("_", "").replace("/", "").replace(".", "").replace("-", "")
    safe = plain.isalnum() and not plain.isdigit() and not text[0].isdigit() and text[0] not in "-."
    special = text.lower() in {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}
    return text if safe and not special else json.dumps(text, ensure_ascii=False)
