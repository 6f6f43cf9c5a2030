"""One record in the tables of the index: put there, and taken away."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from mlctl.errors import ConfigError
from mlctl.experiments.shelves.folder import HEAD
from mlctl.experiments.values import whole_metrics, whole_params
from mlctl.records.canonical import line
from mlctl.records.run import PARAMS, RunHead, parse_head, run_folder
from mlctl.records.run_events import Event, fold, parse_event
from mlctl.records.run_stages import StageRecord, parse_stages

Part = Callable[[str], bytes | None]
FOLDER, BRANCH = "folder", "branch"
_RANKS = {FOLDER: 0, BRANCH: 2}  # packs of the work tree come between them
_OF_PACK, _OF_BRANCH_PACK = 1, 3
_INSERT = """INSERT INTO run (id, place, rank, at, length, head, status, started, seconds, begun,
    branch, "commit", dirty, ran, failed, file)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class Writer:
    """Changes the index within one transaction; `finish` brings what follows from them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: dict[str, int] = dict(connection.execute("SELECT name, number FROM name"))
        self._touched: set[str] = set()

    def put(
        self, run_id: str, place: str, part: Part, *, at: int | None = None, length: int = 0
    ) -> None:
        """The record of a run at a place; one that is damaged is noted as such."""
        self.drop(run_id, place)
        data = part(HEAD)
        if data is None:
            return
        file = f"{run_folder(run_id)}/{HEAD}" if place in _RANKS else place
        try:
            head = _head(run_id, data, file)
            values = list(_values(head, part))
        except ConfigError as error:
            self._connection.execute(
                "INSERT INTO run (id, place, rank, at, length, file, problem, hint)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (run_id, place, _rank(place), at, length, error.file, _said(error), error.hint),
            )
            return
        text = line(json.loads(data))
        row = (run_id, place, _rank(place), at, length, text, *_columns(head), file)
        number = self._connection.execute(_INSERT, row).lastrowid
        self._connection.executemany(
            "INSERT OR REPLACE INTO value VALUES (?, ?, ?, ?)",
            ((self._name(name), number, *_typed(value)) for name, value in values),
        )

    def put_events(self, run_id: str, place: str, files: Iterable[tuple[str, bytes]]) -> None:
        """The events of a run at a place, all of them, by the names of their files."""
        self._touched.add(run_id)
        gone = (run_id, place)
        self._connection.execute("DELETE FROM event WHERE run = ? AND place = ?", gone)
        self._connection.execute("DELETE FROM fault WHERE run = ? AND place = ?", gone)
        for name, data in files:
            file = f"{run_folder(run_id)}/events/{name}"
            try:
                event = parse_event(
                    data.decode("utf-8", "replace"), event_id=name.removesuffix(".json"), name=file
                )
            except ConfigError as error:
                row = (place, run_id, error.file, _said(error), error.hint)
                self._connection.execute("INSERT INTO fault VALUES (?, ?, ?, ?, ?)", row)
                continue
            self._connection.execute(
                "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?)",
                (run_id, event.id, place, event.kind, event.value, event.time),
            )

    def drop(self, run_id: str, place: str) -> None:
        """No record of the run is at the place."""
        self._touched.add(run_id)
        where = "run = (SELECT number FROM run WHERE id = ? AND place = ?)"
        self._connection.execute(f"DELETE FROM value WHERE {where}", (run_id, place))
        self._connection.execute("DELETE FROM run WHERE id = ? AND place = ?", (run_id, place))

    def drop_place(self, place: str) -> None:
        """Nothing is at the place."""
        asked = "SELECT id FROM run WHERE place = ? UNION SELECT run FROM event WHERE place = ?"
        self._touched.update(row[0] for row in self._connection.execute(asked, (place, place)))
        numbers = "SELECT number FROM run WHERE place = ?"
        self._connection.execute(f"DELETE FROM value WHERE run IN ({numbers})", (place,))
        for table in ("run", "event", "fault"):
            self._connection.execute(f"DELETE FROM {table} WHERE place = ?", (place,))

    def fault(self, place: str, error: ConfigError) -> None:
        """Something at the place that is no record."""
        row = (place, None, error.file, _said(error), error.hint)
        self._connection.execute("INSERT INTO fault VALUES (?, ?, ?, ?, ?)", row)

    def finish(self) -> None:
        """Choose one record of each run that changed, a whole one before a damaged one, and fold
        its events.
        """
        ids = [(run_id,) for run_id in self._touched]
        self._connection.executemany(
            "UPDATE run SET first = number = (SELECT number FROM run AS other"
            " WHERE other.id = run.id ORDER BY head IS NULL, rank, place LIMIT 1) WHERE id = ?",
            ids,
        )
        self._connection.executemany("DELETE FROM facts WHERE id = ?", ids)
        asked = "SELECT id, kind, value, time FROM event WHERE run = ?"
        for (run_id,) in ids:
            events = {row[0]: Event(*row) for row in self._connection.execute(asked, (run_id,))}
            if events:
                facts = fold(events.values())
                notes = "\n".join(note.value or "" for note in facts.notes)
                row = (run_id, facts.name, json.dumps(facts.tags), notes)
                self._connection.execute(
                    "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?)",
                    (*row, facts.archived, facts.kept),
                )
        self._touched.clear()

    def _name(self, name: str) -> int:
        number = self._names.get(name)
        if number is None:
            done = self._connection.execute("INSERT INTO name (name) VALUES (?)", (name,))
            number = self._names[name] = int(done.lastrowid or 0)
        return number


def check_id(head: RunHead, run_id: str, file: str) -> None:
    """Raise ConfigError where a record is not of the run that its place says."""
    if head.id != run_id:
        raise ConfigError(
            f"the record says that it is run {head.id}: a copy?",
            file=file,
            hint="remove the copy: a record lies in the folder that its id names",
        )


def _head(run_id: str, data: bytes, file: str) -> RunHead:
    head = parse_head(data.decode("utf-8", "replace"), name=file)
    check_id(head, run_id, file)
    return head


def _values(head: RunHead, part: Part) -> Iterator[tuple[str, Any]]:
    stages: tuple[StageRecord, ...] = ()
    written = None
    if head.truncated.get("params") or head.truncated.get("metrics"):
        name = f"{run_folder(head.id)}/stages.jsonl"
        stages = parse_stages((part("stages.jsonl") or b"").decode("utf-8", "replace"), name=name)
        written = part(PARAMS)
    for name, value in whole_params(head, stages, written).items():
        yield f"params.{name}", value
    for name, value in whole_metrics(head, stages).items():
        yield f"metrics.{name}", value
    for name, series in head.series.items():
        for what in ("last", "min", "max"):
            yield f"metrics.{name}.{what}", getattr(series, what)


def _columns(head: RunHead) -> tuple[Any, ...]:
    try:
        started = datetime.fromisoformat(head.started).timestamp()
    except (TypeError, ValueError):
        started = None
    git = head.git
    code = (git.branch, git.commit, git.dirty) if git else (None, None, None)
    lists = (json.dumps(head.ran), json.dumps(head.failed))
    return (head.status, started, head.seconds, head.name, *code, *lists)


def _typed(value: Any) -> tuple[float | None, str | None]:
    """A value as a number, where it is one, and as text."""
    if isinstance(value, bool):
        return None, "true" if value else "false"
    if isinstance(value, int | float):
        if isinstance(value, float) and math.isnan(value):
            return None, "NaN"
        try:
            return float(value), None
        except OverflowError:
            return None, str(value)
    if value is None:
        return None, "null"
    return None, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rank(place: str) -> int:
    if place.startswith(f"{BRANCH}:"):
        return _OF_BRANCH_PACK
    return _RANKS.get(place, _OF_PACK)


def _said(error: ConfigError) -> str:
    return str(error)
