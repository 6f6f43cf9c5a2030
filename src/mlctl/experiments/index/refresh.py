"""Bringing the index up to date with the files that it is made of.

Of each source a state is kept: of a day's folder the change times of what is in it, of a pack its
file's, of the branch its commit. What is as it was is not read again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from mlctl.experiments.index.entries import BRANCH, Writer
from mlctl.experiments.index.sources import update_branch, update_day, update_pack
from mlctl.experiments.shelves import branch, folder, pack
from mlctl.records.run import run_folder
from mlctl.store.state import is_settled, signature

_DAY, _PACK = "day:", "pack:"


@dataclass(frozen=True, slots=True)
class Look:
    """The sources as they are now."""

    days: Mapping[str, folder.Day]
    packs: Mapping[str, str]
    tip: str | None

    def states(self) -> dict[str, str]:
        """What is remembered of them; a source that is too young is looked at again."""
        found = {_DAY + day: it.digest for day, it in self.days.items()}
        found |= {_PACK + key: state for key, state in self.packs.items()}
        return found | ({BRANCH: self.tip} if self.tip else {})


def refresh(connection: sqlite3.Connection, root: str) -> None:
    """Bring the index up to date. Processes that do so at once wait for each other."""
    if _stale(connection, _look(root)) == set():
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        look = _look(root)  # as it is now that nobody else writes
        stale = _stale(connection, look)
        if stale:
            _update(connection, root, look, stale)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def forget(connection: sqlite3.Connection, run_ids: list[str]) -> None:
    """Let the next refresh read these records again, whatever their folders say."""
    connection.execute("BEGIN IMMEDIATE")
    for run_id in run_ids:
        connection.execute("UPDATE folder SET sign = '' WHERE id = ?", (run_id,))
        day = _DAY + run_folder(run_id).split("/")[1]
        connection.execute("UPDATE source SET state = '' WHERE key = ?", (day,))
    connection.execute("COMMIT")


def _look(root: str) -> Look:
    began = time.time_ns()
    days = {day: folder.look(root, day, began) for day in folder.days(root)}
    packs = {key: _pack_state(os.path.join(root, key), began) for key in pack.packs(root)}
    return Look(days, packs, branch.tip(root, branch.git_folder(root)))


def _pack_state(path: str, began: int) -> str:
    try:
        sign = signature(os.stat(path))
    except OSError:
        return ""
    return f"{sign.ctime} {sign.size} {sign.inode}" if is_settled(sign, began) else ""


def _stale(connection: sqlite3.Connection, look: Look) -> set[str]:
    """The sources that are new, gone, changed, or were too young when they were looked at."""
    known = dict(connection.execute("SELECT key, state FROM source"))
    now = look.states()
    changed = {key for key, state in now.items() if not state or known.get(key) != state}
    return changed | (known.keys() - now.keys())


def _update(connection: sqlite3.Connection, root: str, look: Look, stale: set[str]) -> None:
    writer, states = Writer(connection), look.states()
    for key in sorted(stale):
        if key.startswith(_DAY):
            day = key.removeprefix(_DAY)
            update_day(connection, writer, root, day, look.days.get(day))
        elif key.startswith(_PACK):
            update_pack(writer, root, key.removeprefix(_PACK))
        else:
            row = connection.execute("SELECT state FROM source WHERE key = ?", (key,)).fetchone()
            update_branch(writer, root, row[0] if row else None, look.tip)
        connection.execute("DELETE FROM source WHERE key = ?", (key,))
        if key in states:
            connection.execute("INSERT INTO source VALUES (?, ?)", (key, states[key]))
    writer.finish()
