"""`monitors/mutes.yaml`: what is known and not to be told, why, and until when.

It is reviewed like code. A mute ends at a date of periods, not of today, so that a report made
again comes out the same. The format is described in docs/formats/mutes.md.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mlctl.adapters import files
from mlctl.errors import ConfigError
from mlctl.monitoring.period_names import first_day
from mlctl.monitoring.results import MonitorReport
from mlctl.records.document import Document

StrPath = str | os.PathLike[str]
FILE_NAME = "mutes.yaml"
FILE = f"monitors/{FILE_NAME}"
_KEYS = ("monitor", "column", "from", "until", "reason", "by")


@dataclass(frozen=True, slots=True)
class Mute:
    """Periods of a monitor that begin from `since` and before `to` (dates, `to` needed).

    `column` is the one column (or metric) that is muted, empty for the whole monitor.
    """

    monitor: str
    to: str
    reason: str
    column: str = ""
    since: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Mutes:
    """All mutes of a repository."""

    entries: Sequence[Mute] = ()

    def of(self, report: MonitorReport) -> list[Mute]:
        """Those that hold for the period of `report`; undated periods are never muted."""
        day = first_day(report.period)
        return [
            mute
            for mute in self.entries
            if mute.monitor == report.monitor and day and mute.since <= day < mute.to
        ]


def load(root: StrPath) -> Mutes:
    """The mutes, none where there is no file. Raises ConfigError (file, path and line)."""
    if not Path(root, FILE).is_file():
        return Mutes()
    return parse(files.read_text(Path(root, FILE), name=FILE))


def parse(text: str) -> Mutes:
    """The mutes in `text`. Raises ConfigError for what is wrong, a mute without end included."""
    document = Document.parse(text, file=FILE)
    document.check_schema("mutes", 1)
    document.keys(known=("schema", "mutes"))
    listed = document.items("mutes", of="mutes")
    return Mutes(tuple(_mute(document, at) for at in range(len(listed))))


def _mute(document: Document, at: int) -> Mute:
    document.keys("mutes", at, known=_KEYS)
    for key, why in (("until", "a mute has an end"), ("reason", "a mute has a reason")):
        if document.get("mutes", at, key) is None:
            raise document.error(("mutes", at), f"{key!r} is missing: {why}")
    since = _date(document, at, "from") if document.get("mutes", at, "from") else ""
    to = _date(document, at, "until")
    if since >= to:
        raise document.error(("mutes", at, "until"), "ends before it begins")
    return Mute(
        document.text("mutes", at, "monitor"),
        to,
        document.text("mutes", at, "reason"),
        _text(document, at, "column"),
        since,
        _text(document, at, "by"),
    )


def _text(document: Document, at: int, key: str) -> str:
    return "" if document.get("mutes", at, key) is None else document.text("mutes", at, key)


def _date(document: Document, at: int, key: str) -> str:
    value = document.get("mutes", at, key)
    text = value.isoformat()[:10] if isinstance(value, date) else value
    try:
        return date.fromisoformat(text).isoformat()
    except (TypeError, ValueError):
        raise _no_date(document, at, key) from None


def _no_date(document: Document, at: int, key: str) -> ConfigError:
    return document.wrong(("mutes", at, key), "a date such as 2026-05-01")
