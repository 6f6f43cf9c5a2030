"""Asking the index: which runs, in which order, and how many."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlctl.adapters import clock
from mlctl.experiments.index.database import with_index
from mlctl.experiments.index.refresh import forget, refresh
from mlctl.experiments.shelves.folder import HEAD, file_sign
from mlctl.experiments.shelves.reading import Place
from mlctl.records.run import RunHead, parse_head, run_folder
from mlctl.records.run_events import NO_FACTS, Event, Facts, fold
from mlctl.records.ulid import TIME_LENGTH

NEWEST_FIRST = "run.id DESC"
_NAME = "coalesce((SELECT name FROM facts WHERE facts.id = run.id), run.begun)"
_FIRST = "run.first AND run.head IS NOT NULL"
_PRESENT = " AND run.id NOT IN (SELECT id FROM facts WHERE archived)"


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for. `sort` is a field, with `-` before it or `:desc` behind it for the
    greatest first; without one the newest run is first.
    """

    where: str | None = None
    sort: str | None = None
    limit: int | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that could not be read as what it should be."""

    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found: heads in order, what was said of them later, and how many there are.

    `total` counts the runs that fulfil the filter, whatever the limit; `hidden` those that do but
    are archived.
    """

    heads: list[RunHead]
    facts: Mapping[str, Facts] = field(default_factory=dict)
    total: int = 0
    hidden: int = 0
    damaged: Sequence[Damage] = ()


def search(root: str, asked: Search) -> Listing:
    """The runs that are asked for. Damaged records are left out, and named.

    Raises InvalidInput for a filter or an order that means nothing.
    """

    def answer(index: sqlite3.Connection) -> Listing:
        refresh(index, root)
        listing = _answer(index, asked)
        changed = _written_over(index, root, listing.heads)
        if changed:
            forget(index, changed)
            refresh(index, root)
            listing = _answer(index, asked)
        return listing

    return with_index(root, answer)


def count(root: str) -> int:
    """How many runs have a record."""

    def answer(index: sqlite3.Connection) -> int:
        refresh(index, root)
        return _number(index, f"SELECT count(*) FROM run WHERE {_FIRST}", ())

    return with_index(root, answer)


def matching_ids(root: str, text: str) -> list[str]:
    """The runs, newest first and damaged ones among them, that a part of an id names: the start
    of it, or the start or the end of its last 16 characters; or else a name.
    """

    def answer(index: sqlite3.Connection) -> list[str]:
        refresh(index, root)
        asked = "SELECT id FROM run WHERE first AND ({}) ORDER BY id DESC"
        wanted, tail = text.upper(), f"substr(id, {TIME_LENGTH + 1})"
        starts = f"substr(id, 1, ?1) = ?2 OR substr(id, {TIME_LENGTH + 1}, ?1) = ?2"
        ends = f"(length(?2) <= length({tail}) AND substr(id, -?1) = ?2)"
        sql = asked.format(f"{starts} OR {ends}")
        found = [row[0] for row in index.execute(sql, (len(wanted), wanted))]
        if found:
            return found
        return [row[0] for row in index.execute(asked.format(f"{_NAME} = ?"), (text,))]

    return with_index(root, answer)


def newest_ids(root: str, limit: int) -> list[str]:
    """The newest runs, damaged ones among them."""

    def answer(index: sqlite3.Connection) -> list[str]:
        refresh(index, root)
        asked = "SELECT id FROM run WHERE first ORDER BY id DESC LIMIT ?"
        return [row[0] for row in index.execute(asked, (limit,))]

    return with_index(root, answer)


def place_of(root: str, run_id: str) -> Place | None:
    """Where the record of a run is, if it is not a folder of the work tree."""

    def answer(index: sqlite3.Connection) -> Place | None:
        refresh(index, root)
        asked = "SELECT place, coalesce(at, 0), length FROM run WHERE id = ? AND first"
        row = index.execute(asked, (run_id,)).fetchone()
        return Place(*row) if row else None

    return with_index(root, answer)


def facts_of(root: str, run_id: str) -> Facts:
    """What was said of a run later, with its notes."""

    def answer(index: sqlite3.Connection) -> Facts:
        refresh(index, root)
        return _facts(index, run_id)

    return with_index(root, answer)


def known_values(root: str) -> list[str]:
    """The names of all parameters and metrics, `params.lr`."""
    return with_index(root, lambda index: [r[0] for r in index.execute("SELECT name FROM name")])


def _answer(index: sqlite3.Connection, asked: Search) -> Listing:
    where, args, order = _meaning(index, asked)
    base = f"FROM run WHERE {_FIRST} AND {where}"
    present = base if asked.archived else base + _PRESENT
    total = _number(index, f"SELECT count(*) {present}", args)
    every = total if asked.archived else _number(index, f"SELECT count(*) {base}", args)
    limit = -1 if asked.limit is None else asked.limit
    sql = f"SELECT head, file {present} ORDER BY {order} LIMIT ?"
    rows = index.execute(sql, (*args, limit)).fetchall()
    heads = [parse_head(head, name=file) for head, file in rows]
    later = {run_id for (run_id,) in index.execute("SELECT id FROM facts")}
    facts = {head.id: _facts(index, head.id) for head in heads if head.id in later}
    return Listing(heads, facts, total, every - total, _damaged(index))


def _meaning(index: sqlite3.Connection, asked: Search) -> tuple[str, tuple[Any, ...], str]:
    """The filter in SQL with its arguments, and the order."""
    if not asked.where and not asked.sort:
        return "1", (), NEWEST_FIRST
    # Imported here: most listings ask for neither.
    from mlctl.experiments.where.order import order
    from mlctl.experiments.where.sql import Condition, Known, condition

    known = Known(dict(index.execute("SELECT name, number FROM name")), clock.now())
    where = condition(asked.where, known) if asked.where else Condition("1")
    by = order(asked.sort, known.names) if asked.sort else NEWEST_FIRST
    return f"coalesce({where.sql}, 0)", where.args, by


def _written_over(index: sqlite3.Connection, root: str, heads: Sequence[RunHead]) -> list[str]:
    """Those of the runs whose head is not the file that was read: somebody wrote into it."""
    asked = "SELECT file FROM folder WHERE id = ?"
    changed = []
    for head in heads:
        row = index.execute(asked, (head.id,)).fetchone()
        if row is not None and row[0] != file_sign(os.path.join(root, run_folder(head.id), HEAD)):
            changed.append(head.id)
    return changed


def _facts(index: sqlite3.Connection, run_id: str) -> Facts:
    asked = "SELECT id, kind, value, time FROM event WHERE run = ?"
    events = {row[0]: Event(*row) for row in index.execute(asked, (run_id,))}
    return fold(events.values()) if events else NO_FACTS


def _damaged(index: sqlite3.Connection) -> list[Damage]:
    asked = (
        "SELECT problem, hint FROM run WHERE problem IS NOT NULL"
        " UNION SELECT problem, hint FROM fault ORDER BY 1"
    )
    return [Damage(*row) for row in index.execute(asked)]


def _number(index: sqlite3.Connection, sql: str, args: tuple[object, ...]) -> int:
    return int(index.execute(sql, args).fetchone()[0])
