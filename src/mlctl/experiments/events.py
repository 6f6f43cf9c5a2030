"""Saying something of a run later: one small file each, which nobody changes any more."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from mlctl.adapters import clock
from mlctl.adapters.files import write_text
from mlctl.errors import InvalidInput
from mlctl.experiments.query import run_facts
from mlctl.experiments.shelves.folder import EVENTS, event_names
from mlctl.records.run import run_folder
from mlctl.records.run_events import Event, Facts, event_text
from mlctl.records.ulid import RANDOM_BYTES, is_ulid, new_ulid

LONGEST_WORD = 200  # characters of a name or a tag
LONGEST_NOTE = 20_000


def add_event(root: str, run_id: str, kind: str, value: str | None = None) -> str:
    """Write an event of a run that has a record, wherever that lies; the event's key.

    It comes after all events of the run that are known here, whatever the clock says.
    """
    names = (name.removesuffix(".json") for name in event_names(root, run_id))
    last = max(filter(is_ulid, names), default=None)
    now = clock.now()
    event_id = new_ulid(now, os.urandom(RANDOM_BYTES), last=last)
    key = f"{run_folder(run_id)}/{EVENTS}/{event_id}.json"
    event = Event(event_id, kind, value, clock.iso(now))
    write_text(os.path.join(root, key), event_text(event))
    return key


def tag(root: str, run_ids: Iterable[str], tags: Iterable[str], *, remove: bool) -> list[str]:
    """Give runs tags, or take them; the keys of the events. What is so already makes none.

    Raises InvalidInput for what is no tag.
    """
    words = [checked_word(text, "tag") for text in tags]
    keys = []
    for run_id in run_ids:
        has = set(run_facts(root, run_id).tags)
        wanted = [word for word in words if (word in has) == remove]
        keys += [add_event(root, run_id, "untag" if remove else "tag", word) for word in wanted]
    return keys


def rename(root: str, run_id: str, name: str, now: str | None) -> list[str]:
    """Give a run another name than its present one. Raises InvalidInput for what is no name."""
    word = checked_word(name, "name")
    return [] if word == now else [add_event(root, run_id, "rename", word)]


def note(root: str, run_id: str, text: str) -> list[str]:
    """Add a note to a run. Raises InvalidInput for an empty one, and one that is too long."""
    text = text.strip()
    if not text:
        raise InvalidInput("the note is empty")
    if len(text) > LONGEST_NOTE:
        raise InvalidInput(f"a note has at most {LONGEST_NOTE} characters, not {len(text)}")
    return [add_event(root, run_id, "note", text)]


def archive(root: str, run_ids: Iterable[str], *, undo: bool) -> list[str]:
    """Leave runs out of listings, or take them in again; the keys of the events."""
    kind = "unarchive" if undo else "archive"
    wanted = [run_id for run_id in run_ids if run_facts(root, run_id).archived == undo]
    return [add_event(root, run_id, kind) for run_id in wanted]


def checked_word(text: str, what: str) -> str:
    """A name or a tag without the blanks around it. Raises InvalidInput for what is none."""
    word = text.strip()
    if not word or not word.isprintable():
        raise InvalidInput(f"{text!r} is no {what}: it must be one line of text")
    if len(word) > LONGEST_WORD:
        raise InvalidInput(f"a {what} has at most {LONGEST_WORD} characters, not {len(word)}")
    return word


def name_of(begun: str | None, facts: Facts) -> str | None:
    """The name of a run: the last one that it was given."""
    return facts.name or begun


def facts_json(facts: Facts) -> Mapping[str, object]:
    """What was said of a run, for `--json`."""
    notes = [{"text": note.value, "time": note.time} for note in facts.notes]
    return {
        "tags": list(facts.tags),
        "notes": notes,
        "archived": facts.archived,
        "kept": facts.kept,
    }
