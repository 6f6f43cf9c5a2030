"""What is said of a run later: `events/<ulid>.json`, one small file each (docs/formats/run.md).

An event is never changed. Two branches add different files, so they merge without a conflict, and
what stands is the fold of all events in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mlctl.errors import ConfigError
from mlctl.records.canonical import pretty
from mlctl.records.schema import load_record
from mlctl.records.ulid import is_ulid

KIND, VERSION = "run-event", 1
SCHEMA = f"mlctl.{KIND}/{VERSION}"
_WITH_TEXT = ("tag", "untag", "note", "rename")
KINDS = (*_WITH_TEXT, "archive", "unarchive", "keep", "unkeep")


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. `value` is the tag, note or name, and None for the other kinds; `time` is
    `2026-11-23T23:02:05.123Z`.
    """

    id: str
    kind: str
    value: str | None
    time: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the events of a run come to. `name` is None where none gave one; tags are sorted."""

    name: str | None = None
    tags: tuple[str, ...] = ()
    notes: tuple[Event, ...] = ()
    archived: bool = False
    kept: bool = False


NO_FACTS = Facts()


def event_text(event: Event) -> str:
    """The event as it is written; its id is the name of its file."""
    data = {"kind": event.kind, "value": event.value, "time": event.time}
    return pretty({"schema": SCHEMA, **data})


def parse_event(text: str, *, event_id: str, name: str) -> Event:
    """The event in `text`; `name` is its file, for messages.

    Raises ConfigError for a newer version, another kind of record, and a damaged one.
    """
    data = load_record(text, kind=KIND, newest=VERSION, name=name)
    try:
        return _event(event_id, data)
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"not an event of a run: {type(error).__name__}: {error}",
            file=name,
            hint=f"restore it from git: git checkout HEAD -- {name}",
        ) from None


def fold(events: Iterable[Event]) -> Facts:
    """What `events`, in any order, come to. Kinds that a later mlctl adds are passed over."""
    name: str | None = None
    tags: set[str] = set()
    notes: list[Event] = []
    archived = kept = False
    for event in sorted(events, key=lambda event: event.id):
        match event.kind, event.value:
            case "tag", str(tag):
                tags.add(tag)
            case "untag", str(tag):
                tags.discard(tag)
            case "note", str():
                notes.append(event)
            case "rename", str(new):
                name = new
            case (("archive" | "unarchive"), _):
                archived = event.kind == "archive"
            case (("keep" | "unkeep"), _):
                kept = event.kind == "keep"
    return Facts(name, tuple(sorted(tags)), tuple(notes), archived, kept)


def _event(event_id: str, data: dict[str, Any]) -> Event:
    kind, value = data["kind"], data.get("value")
    if not is_ulid(event_id):
        raise ValueError(f"the file is not named by a ULID: {event_id!r}")
    if kind in _WITH_TEXT and not isinstance(value, str):
        raise ValueError(f"the value of {kind!r} is not a text: {value!r}")
    return Event(event_id, kind, value, str(data["time"]))
