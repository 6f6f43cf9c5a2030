"""Finding and reading the runs of a project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from mlctl.adapters.files import read_text
from mlctl.errors import InvalidInput
from mlctl.experiments.naming import merged, params_of
from mlctl.records.run import PARAMS, RunHead, parse_head, run_folder
from mlctl.records.run_stages import StageRecord, parse_stages
from mlctl.records.schema import load_json
from mlctl.records.ulid import LENGTH, TIME_LENGTH, is_ulid

SHORT = 6
_NAMED = 8
_LAST = re.compile(r"last(?:~([0-9]+))?", re.IGNORECASE)


def list_runs(root: str, *, limit: int | None = None) -> list[RunHead]:
    """The heads of the runs, newest first.

    Raises ConfigError for a record that is damaged, or newer than this mlctl knows.
    """
    _adopt(root)
    heads: list[RunHead] = []
    for run_id in _run_ids(root):
        if limit is not None and len(heads) >= limit:
            break
        head = _read_head(root, run_id)
        if head is not None:
            heads.append(head)
    return heads


def count_runs(root: str) -> int:
    """How many runs have a folder; nothing is read."""
    return sum(1 for _ in _run_ids(root))


def find_run(root: str, text: str) -> RunHead:
    """The run that `text` names: its id, the start of it, the start or the end of its last 16
    characters (the short id is a start), `last`, or `last~2` for the one two before.

    Raises InvalidInput, naming candidates, where none or several match.
    """
    _adopt(root)
    if last := _LAST.fullmatch(text):
        return _nth_last(root, int(last[1] or 0))
    wanted = text.upper()
    if is_ulid(wanted) and (head := _read_head(root, wanted)):
        return head
    matching = [run_id for run_id in _run_ids(root) if wanted and _names_it(wanted, run_id)]
    heads = [head for run_id in matching[: _NAMED + 1] if (head := _read_head(root, run_id))]
    if len(heads) == 1:
        return heads[0]
    if heads:
        raise InvalidInput(f"{text!r} names {len(matching)} runs: {_names(heads)}")
    raise InvalidInput(f"no run is called {text!r}", hint=_newest(root))


def load_stages(root: str, run_id: str) -> tuple[StageRecord, ...]:
    """The stages of a run, in serial order. Raises InvalidInput where they are missing."""
    name = f"{run_folder(run_id)}/stages.jsonl"
    try:
        text = read_text(os.path.join(root, name), name=name)
    except FileNotFoundError:
        raise InvalidInput(
            f"{name} is missing", hint=f"restore it from git: git checkout HEAD -- {name}"
        ) from None
    return parse_stages(text, name=name)


def read_part(root: str, run_id: str, name: str) -> bytes | None:
    """The file `name` of a run's record, such as `metrics.jsonl`; None where it has none."""
    try:
        with open(os.path.join(root, run_folder(run_id), name), "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def all_params(
    head: RunHead, stages: tuple[StageRecord, ...], root: str | None = None
) -> dict[str, Any]:
    """The run's parameters by dotted name, with those that gave way in the head.

    Of a run without stages they are in a file of their own, which is looked for in `root`.
    """
    if not head.truncated.get("params"):
        return dict(head.params)
    data = None if root is None else read_part(root, head.id, PARAMS)
    written = {} if data is None else load_json(data, name=f"{run_folder(head.id)}/{PARAMS}")
    return {**params_of(stages), **written, **head.params}


def all_metrics(head: RunHead, stages: tuple[StageRecord, ...]) -> dict[str, float]:
    """The run's metrics by dotted name, with those that gave way in the head."""
    if not head.truncated.get("metrics"):
        return dict(head.metrics)
    by_file = {file: values for stage in stages for file, values in stage.metrics.items()}
    return {**merged(by_file), **head.metrics}


def short_ids(run_ids: list[str]) -> dict[str, str]:
    """The shortest end of each id, from 6 characters on, that tells these runs apart."""
    for length in range(SHORT, LENGTH - TIME_LENGTH + 1):
        short = {run_id: run_id[TIME_LENGTH : TIME_LENGTH + length] for run_id in run_ids}
        if len(set(short.values())) == len(short):
            return short
    return {run_id: run_id for run_id in run_ids}


def _adopt(root: str) -> None:
    """Scripts' runs that are over become records before anybody looks; most often there is none."""
    if _names_in(os.path.join(root, ".mlctl", "live")):
        from mlctl.experiments.adopting import adopt

        adopt(root)


def _names_it(text: str, run_id: str) -> bool:
    tail = run_id[TIME_LENGTH:]
    return run_id.startswith(text) or tail.startswith(text) or tail.endswith(text)


def _run_ids(root: str) -> Iterator[str]:
    """Newest first; nothing is read but the folders' names, and those only as far as asked."""
    runs = os.path.join(root, "runs")
    for day in sorted(_names_in(runs), reverse=True):
        if day.isdigit() and len(day) == len("20261123"):
            found = _names_in(os.path.join(runs, day))
            yield from sorted(filter(is_ulid, found), reverse=True)


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read_head(root: str, run_id: str) -> RunHead | None:
    """The head of a run, or None for a folder that holds none."""
    name = f"{run_folder(run_id)}/run.json"
    try:
        with open(os.path.join(root, name), "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return parse_head(data.decode("utf-8", "replace"), name=name)


def _nth_last(root: str, before: int) -> RunHead:
    heads = list_runs(root, limit=before + 1)
    if not heads:
        raise InvalidInput("no run is recorded yet", hint=_newest(root))
    if len(heads) <= before:
        raise InvalidInput(
            f"only {len(heads)} runs are recorded; the first is last~{len(heads) - 1}"
        )
    return heads[before]


def _newest(root: str) -> str:
    heads = list_runs(root, limit=_NAMED)
    return f"the newest are {_names(heads)}" if heads else "`mlctl run` records the first one"


def _names(heads: list[RunHead]) -> str:
    short = short_ids([head.id for head in heads])
    shown = ", ".join(short[head.id] for head in heads[:_NAMED])
    return f"{shown} …" if len(heads) > _NAMED else shown
