"""A run in a pipe or in CI: whole lines, each with its stage's name, and what failed at the end."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import dataclass, field
from typing import TextIO

from mlctl.cli._output import styled
from mlctl.cli._reasons import MANY, reason_lines
from mlctl.cli._text import count, counted, duration, visible
from mlctl.pipeline.events import (
    Event,
    Notice,
    Outcome,
    RunFinished,
    RunStarted,
    StageFinished,
    StageOutput,
    StageStarted,
    Waiting,
)
from mlctl.records.ulid import short_form

TAIL = 20  # lines of a failed stage's log that are shown at the end

_SHOWN: dict[Outcome, tuple[str, str]] = {
    "ran": ("✓", "32"),
    "restored": ("✓", "32"),
    "unchanged": ("=", "2"),
    "failed": ("✗", "31"),
    "skipped": ("-", "33"),
    "cancelled": ("-", "33"),
}


@dataclass(slots=True)
class Tails:
    """The last lines of every stage that may still fail, kept from the stream."""

    _lines: dict[str, deque[str]] = field(default_factory=dict)
    _failed: list[StageFinished] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """Take in one event; a stage that ended well is forgotten."""
        match event:
            case StageStarted():
                self._lines[event.stage] = deque(maxlen=TAIL)
            case StageOutput():
                self._lines.setdefault(event.stage, deque(maxlen=TAIL)).append(visible(event.line))
            case StageFinished(outcome="failed"):
                self._failed.append(event)
            case StageFinished():
                self._lines.pop(event.stage, None)

    def blocks(self) -> list[str]:
        """For every failed stage: what happened, its last lines, and where its log is."""
        lines: list[str] = []
        for event in self._failed:
            tail = self._lines.get(event.stage, ())
            lines += ["", styled(f"{event.stage}: {failure_text(event)}", "1;31")]
            lines += [f"  {line}" for line in tail]
            if event.log:
                whole = "its last lines; the whole log" if tail else "it printed nothing; its log"
                lines.append(styled(f"  ({whole}: {event.log})", "2"))
        return lines


class Plain:
    """Writes the stream as plain lines to `stream`; an `Emit`.

    With `quiet` only failures are told; with `verbose` also what was unchanged and what waits.
    """

    def __init__(
        self, stream: TextIO | None = None, *, quiet: bool = False, verbose: bool = False
    ) -> None:
        self._stream = stream or sys.stdout
        self._quiet = quiet
        self._verbose = verbose
        self._tails = Tails()
        self._waiting: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        self._tails.note(event)
        lines = self._lines(event)
        if lines:
            self._write(lines)

    def close(self) -> None:
        """Flush; every line was written when it came."""
        self._stream.flush()

    def _lines(self, event: Event) -> list[str]:
        match event:
            case RunFinished():
                blocks = self._tails.blocks()
                return blocks if self._quiet else [*blocks, *summary_lines(event)]
            case Notice() if event.level == "warning" or not self._quiet:
                return [notice_line(event)]
            case _ if self._quiet:
                return []
            case RunStarted():
                return [start_line(event)]
            case StageStarted():
                return started_lines(event)
            case StageOutput():
                return [f"[{event.stage}] {visible(event.line)}"]
            case StageFinished():
                told = self._verbose or event.outcome != "unchanged"
                return [finish_line(event)] if told else []
            case Waiting() if self._verbose:
                return self._waits(event)
        return []

    def _waits(self, event: Waiting) -> list[str]:
        before, self._waiting = self._waiting, dict(event.stages)
        new = {stage: what for stage, what in event.stages if before.get(stage) != what}
        return [styled(f"… {stage} waits for {what}", "2") for stage, what in new.items()]

    def _write(self, lines: list[str]) -> None:
        text = "\n".join(lines) + "\n"
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


def start_line(event: RunStarted) -> str:
    """`run R0QTMZ: 5 stages, 2 jobs`."""
    what = f"{counted(event.stages)}, {count(event.jobs, 'job')}"
    return styled(f"run {short_form(event.run_id)}: {what}", "2")


def started_lines(event: StageStarted) -> list[str]:
    """`▸ train  params.yaml: lr 0.1 → 0.2`, and a line more for each further reason."""
    notes = [f"on {event.executor}"] if event.executor != "local" else []
    notes += [f"attempt {event.attempt}"] if event.attempt > 1 else []
    where = f" ({', '.join(notes)})" if notes else ""
    head = f"{styled('▸', '36')} {styled(event.stage, '1')}{styled(where, '2')}"
    texts = [styled(text, colour) for text, colour in reason_lines(event.reasons, limit=MANY)]
    indent = " " * (len(event.stage) + len(where) + 2)
    first = f"{head}  {texts[0]}" if texts else head
    return [first, *(f"{indent}  {text}" for text in texts[1:])]


def finish_line(event: StageFinished) -> str:
    """`✓ train  12.3s`, `✗ train  exit code 1 after 3.2s`, `- report  skipped: train failed`."""
    mark, colour = _SHOWN[event.outcome]
    return f"{styled(mark, colour)} {styled(event.stage, '1')}  {_ending(event)}"


def failure_text(event: StageFinished) -> str:
    """Why a stage failed: the executor's message, the exit code or the signal."""
    if event.message:
        return event.message
    if event.exit_code is None:
        return "failed"
    if event.exit_code < 0:
        return f"killed by signal {-event.exit_code}"
    return f"exit code {event.exit_code}"


def notice_line(event: Notice) -> str:
    """`warning: …` or `note: …`, with the stage it is about."""
    word, colour = ("warning:", "33") if event.level == "warning" else ("note:", "36")
    stage = f" {event.stage}:" if event.stage else ""
    return f"{styled(word, colour)}{stage} {event.message}"


def summary_lines(event: RunFinished) -> list[str]:
    """How it ended, in one line, and the record's path where one was written."""
    told = [f"{n} {outcome}" for outcome in _SHOWN if (n := event.outcomes.get(outcome, 0))]
    worked = {outcome for outcome in _SHOWN if event.outcomes.get(outcome, 0)}
    if not worked - {"unchanged"}:
        line = styled("Pipeline is up to date.", "32")
    else:
        bad = "Failed" if "failed" in worked else "Interrupted" if "cancelled" in worked else None
        word = styled(bad, "1;31") if bad else styled("Done", "1;32")
        line = f"{word} in {duration(event.seconds)}: {', '.join(told)}."
    record = [styled(f"record: {event.record}", "2")] if event.record else []
    return ["", line, *record]


def _ending(event: StageFinished) -> str:
    match event.outcome:
        case "ran":
            return duration(event.seconds)
        case "restored":
            return "restored from the cache, not run"
        case "failed":
            first = failure_text(event).partition("\n")[0]  # all of it stands at the end
            started = event.exit_code is not None
            return f"{first} after {duration(event.seconds)}" if started else first
        case _:
            said = event.message if event.message != event.outcome else None
            return f"{event.outcome}: {said}" if said else event.outcome
