"""One record by itself: whether its files can be read and agree with each other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mlctl.errors import ConfigError
from mlctl.experiments.fsck.findings import Finding
from mlctl.experiments.fsck.sources import RawRecord
from mlctl.records.run import RunHead, parse_head, run_folder
from mlctl.records.run_artifacts import parse_artifacts
from mlctl.records.run_events import Event, parse_event
from mlctl.records.run_metrics import parse_steps
from mlctl.records.run_stages import parse_stages

HEAD, STAGES, EVENTS = "run.json", "stages.jsonl", "events/"
_MARKERS = (b"<<<<<<< ", b">>>>>>> ")
_SIDE = "take one side's: git checkout --theirs -- "
_PARSERS: dict[str, Callable[..., Any]] = {
    STAGES: parse_stages,
    "metrics.jsonl": parse_steps,
    "artifacts.jsonl": parse_artifacts,
}


def check_record(record: RawRecord) -> Iterator[Finding]:
    """What is wrong with the files of one record; events without a record are none of it."""
    marked = {name for name, data in record.files.items() if _has_markers(data)}
    for name in sorted(marked):
        file = record.file(name)
        yield Finding("conflict markers", file, record.run, hint=f"{_SIDE}{file}")
    if HEAD in record.files and HEAD not in marked:
        yield from _head(record)
    for name in (HEAD, STAGES):
        if name not in record.names and not is_events_only(record):
            detail = f"it has no {name}"
            yield Finding("incomplete", record.place, record.run, detail, record.restore(name))
    for name in sorted(record.files.keys() - marked - {HEAD}):
        if name in _PARSERS:
            yield from _parsed(record, name, _PARSERS[name])
        elif name.startswith(EVENTS):
            yield from _parsed(record, name, parse_event, event_id=_event_id(name))
    yield from _plots(record)


def is_events_only(record: RawRecord) -> bool:
    """Whether all that there is are events, as of a run that was packed."""
    return bool(record.names) and all(name.startswith(EVENTS) for name in record.names)


def head_of(record: RawRecord) -> RunHead | None:
    """The head, or None where it cannot be read."""
    try:
        return parse_head(_text(record, HEAD), name=record.file(HEAD))
    except (ConfigError, KeyError):
        return None


def events_of(record: RawRecord) -> list[Event]:
    """The events that can be read."""
    found = []
    for name in record.files:
        if name.startswith(EVENTS):
            try:
                text = _text(record, name)
                found.append(parse_event(text, event_id=_event_id(name), name=name))
            except ConfigError:
                continue
    return found


def _head(record: RawRecord) -> Iterator[Finding]:
    yield from _parsed(record, HEAD, parse_head)
    head = head_of(record)
    if head is None:
        return
    where = record.file(HEAD)
    folder = record.place.split(":")[-1]
    if head.id != record.run:
        detail = f"it says that it is run {head.id}"
        yield Finding("another's", where, record.run, detail, record.restore(HEAD))
    elif folder.count("/") > 1 and folder != run_folder(record.run):
        right = run_folder(record.run)
        yield Finding(
            "misplaced", folder, record.run, f"it belongs to {right}", f"git mv {folder} {right}"
        )


def _parsed(
    record: RawRecord, name: str, parse: Callable[..., Any], **more: str
) -> Iterator[Finding]:
    where = record.file(name)
    try:
        parse(_text(record, name), name=where, **more)
    except ConfigError as error:
        problem = "newer" if "newer mlctl" in error.message else "damaged"
        line = f"line {error.line}: " if error.line else ""
        hint = "update mlctl to read it" if problem == "newer" else record.restore(name)
        yield Finding(problem, where, record.run, f"{line}{error.message}", hint)


def _plots(record: RawRecord) -> Iterator[Finding]:
    try:
        text = _text(record, "artifacts.jsonl")
        artifacts = parse_artifacts(text, name="artifacts.jsonl")
    except (ConfigError, KeyError):
        return
    for it in artifacts:
        if it.path is not None and it.path not in record.names:
            where = record.file(it.path)
            yield Finding("missing", where, record.run, "a plot", record.restore(it.path))


def _has_markers(data: bytes) -> bool:
    return any(line.startswith(_MARKERS) for line in data.splitlines())


def _event_id(name: str) -> str:
    return name.removeprefix(EVENTS).removesuffix(".json")


def _text(record: RawRecord, name: str) -> str:
    return record.files[name].decode("utf-8", "replace")
