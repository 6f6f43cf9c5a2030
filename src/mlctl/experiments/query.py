"""Finding and reading the runs of a project."""

from __future__ import annotations

import os
import re
from typing import Any

from mlctl.adapters.files import decoded
from mlctl.errors import InvalidInput
from mlctl.experiments.index.entries import check_id
from mlctl.experiments.search import (
    Listing,
    Search,
    count,
    facts_of,
    matching_ids,
    newest_ids,
    place_of,
    search,
)
from mlctl.experiments.shelves import folder
from mlctl.experiments.shelves.reading import read_packed
from mlctl.experiments.values import whole_metrics, whole_params
from mlctl.records.run import PARAMS, RunHead, parse_head, run_folder
from mlctl.records.run_events import Facts
from mlctl.records.run_stages import StageRecord, parse_stages
from mlctl.records.ulid import LENGTH, TIME_LENGTH, is_ulid

SHORT = 6
_NAMED = 8
_LAST = re.compile(r"last(?:~([0-9]+))?", re.IGNORECASE)


def list_runs(root: str, *, limit: int | None = None) -> list[RunHead]:
    """The heads of the runs, newest first, without damaged ones, which `search_runs` names."""
    return search_runs(root, Search(limit=limit, archived=True)).heads


def search_runs(root: str, asked: Search) -> Listing:
    """The runs that fulfil a filter, in the order that is asked for.

    Raises InvalidInput for a filter or an order that means nothing.
    """
    _adopt(root)
    return search(root, asked)


def count_runs(root: str) -> int:
    """How many runs have a record that can be read."""
    return count(root)


def find_run(root: str, text: str) -> RunHead:
    """The run that `text` names: its id, the start of it, the start or the end of its last 16
    characters (the short id is a start), its name, `last`, or `last~2` for the one two before.

    Raises InvalidInput, naming candidates, where none or several match, and ConfigError for a
    record that is damaged, or newer than this mlctl knows.
    """
    _adopt(root)
    if last := _LAST.fullmatch(text):
        return _nth_last(root, int(last[1] or 0))
    if is_ulid(text.upper()) and (head := _read_head(root, text.upper())):
        return head
    matching = matching_ids(root, text) if text else []
    if len(matching) == 1 and (head := _read_head(root, matching[0])):
        return head
    if matching:
        raise InvalidInput(f"{text!r} names {len(matching)} runs: {_names(matching)}")
    raise InvalidInput(f"no run is called {text!r}", hint=_newest(root))


def run_facts(root: str, run_id: str) -> Facts:
    """What was said of a run since: its name, tags, notes, whether it is archived or kept."""
    return facts_of(root, run_id)


def load_stages(root: str, run_id: str) -> tuple[StageRecord, ...]:
    """The stages of a run, in serial order. Raises InvalidInput where they are missing."""
    name = f"{run_folder(run_id)}/stages.jsonl"
    data = read_part(root, run_id, "stages.jsonl")
    if data is None:
        raise InvalidInput(
            f"{name} is missing", hint=f"restore it from git: git checkout HEAD -- {name}"
        )
    return parse_stages(decoded(data, name=name), name=name)


def read_part(root: str, run_id: str, name: str) -> bytes | None:
    """The file `name` of a run's record, such as `metrics.jsonl`; None where it has none.

    The record may be a folder, in a pack, or on the records' branch.
    """
    if folder.part(root, run_id, folder.HEAD) is not None:
        return folder.part(root, run_id, name)
    return read_packed(root, place_of(root, run_id), run_id, name)


def all_params(
    head: RunHead, stages: tuple[StageRecord, ...], root: str | None = None
) -> dict[str, Any]:
    """The run's parameters by dotted name, with those that gave way in the head.

    Of a run without stages they are in a file of their own, which is looked for in `root`.
    """
    gave_way = bool(head.truncated.get("params"))
    written = read_part(root, head.id, PARAMS) if root is not None and gave_way else None
    return whole_params(head, stages, written)


def all_metrics(head: RunHead, stages: tuple[StageRecord, ...]) -> dict[str, float]:
    """The run's metrics by dotted name, with those that gave way in the head."""
    return whole_metrics(head, stages)


def short_ids(run_ids: list[str]) -> dict[str, str]:
    """The shortest end of each id, from 6 characters on, that tells these runs apart."""
    for length in range(SHORT, LENGTH - TIME_LENGTH + 1):
        short = {run_id: run_id[TIME_LENGTH : TIME_LENGTH + length] for run_id in run_ids}
        if len(set(short.values())) == len(short):
            return short
    return {run_id: run_id for run_id in run_ids}


def _adopt(root: str) -> None:
    """Scripts' runs that are over become records before anybody looks; most often there is none."""
    if folder.names_in(os.path.join(root, ".mlctl", "live")):
        from mlctl.experiments.adopting import adopt

        adopt(root)


def _read_head(root: str, run_id: str) -> RunHead | None:
    """The head of a run, or None for one that has no record."""
    data = read_part(root, run_id, folder.HEAD)
    if data is None:
        return None
    name = f"{run_folder(run_id)}/{folder.HEAD}"
    head = parse_head(data.decode("utf-8", "replace"), name=name)
    check_id(head, run_id, name)
    return head


def _nth_last(root: str, before: int) -> RunHead:
    ids = newest_ids(root, before + 1)
    if not ids:
        raise InvalidInput("no run is recorded yet", hint=_newest(root))
    if len(ids) <= before:
        raise InvalidInput(f"only {len(ids)} runs are recorded; the first is last~{len(ids) - 1}")
    head = _read_head(root, ids[before])
    if head is None:
        raise InvalidInput(f"the record of {ids[before]} is gone just now")
    return head


def _newest(root: str) -> str:
    ids = newest_ids(root, _NAMED + 1)
    return f"the newest are {_names(ids)}" if ids else "`mlctl run` records the first one"


def _names(run_ids: list[str]) -> str:
    short = short_ids(run_ids[: _NAMED + 1])
    shown = ", ".join(short[run_id] for run_id in run_ids[:_NAMED])
    return f"{shown} …" if len(run_ids) > _NAMED else shown
