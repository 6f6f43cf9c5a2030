"""A run on a terminal: what is done scrolls by, what goes on stands below and moves.

The board is one block that rich redraws in place. Its own thread redraws it a few times a second,
so every change of what it shows happens under a lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from mlctl.adapters import clock
from mlctl.cli._output import styled
from mlctl.cli._plain import (
    Tails,
    finish_line,
    notice_line,
    start_line,
    started_lines,
    summary_lines,
)
from mlctl.cli._text import clip, duration, visible
from mlctl.pipeline.events import (
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StageFinished,
    StageOutput,
    StageStarted,
    Waiting,
)

if TYPE_CHECKING:
    from rich.console import Console

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BAR = 12
_FRAMES = 8  # a second: enough for a spinner, and no terminal flickers
_NAMES = 24
_WAITING = 3  # lines of waiting stages


@dataclass(frozen=True, slots=True)
class _Running:
    started: float
    expected: float | None
    executor: str
    line: str = ""


class Board:
    """Draws the stream on a terminal; an `Emit`. `verbose` lets all output of stages scroll by.

    `close` gives the terminal back as it was, also in the middle of a run: call it in `finally`.
    """

    def __init__(self, console: Console | None = None, *, verbose: bool = False) -> None:
        from rich.live import Live

        from mlctl.cli._output import console as default_console

        self._console = console or default_console()
        self._verbose = verbose
        self._lock = Lock()
        self._tails = Tails()
        self._total = 0
        self._done = 0
        self._unchanged = 0
        self._began = clock.monotonic()
        self._running: dict[str, _Running] = {}
        self._waiting: tuple[tuple[str, str], ...] = ()
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_FRAMES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._take(event)
        if isinstance(event, RunStarted):
            self._live.start()
        if isinstance(event, RunFinished):
            self._live.stop()
        lines = self._above(event)
        if lines:
            self._print("\n".join(lines))

    def close(self) -> None:
        """Take the board off the terminal and show the cursor again; may be called twice."""
        self._live.stop()

    def _take(self, event: Event) -> None:
        self._tails.note(event)
        match event:
            case RunStarted():
                self._total = len(event.stages)
                self._began = clock.monotonic()
            case StageStarted():
                self._forget(event.stage)
                self._running[event.stage] = _Running(
                    clock.monotonic(), event.expected, event.executor
                )
            case StageOutput():
                running, line = self._running.get(event.stage), visible(event.line).strip()
                if running and line:
                    self._running[event.stage] = replace(running, line=line)
            case StageFinished():
                self._forget(event.stage)
                self._running.pop(event.stage, None)
                self._done += 1
                self._unchanged += event.outcome == "unchanged"
            case Waiting():
                self._waiting = event.stages

    def _forget(self, stage: str) -> None:
        """It waits no longer."""
        self._waiting = tuple(pair for pair in self._waiting if pair[0] != stage)

    def _above(self, event: Event) -> list[str]:
        """The lines that scroll by; what was unchanged is only counted, unless `verbose`."""
        match event:
            case RunStarted() if self._verbose:
                return [start_line(event)]
            case StageStarted() if self._verbose:
                return started_lines(event)
            case StageOutput() if self._verbose:
                return [f"{styled(event.stage, '2')} {visible(event.line)}"]
            case StageFinished() if self._verbose or event.outcome != "unchanged":
                return [finish_line(event)]
            case Notice():
                return [notice_line(event)]
            case RunFinished():
                return [*self._tails.blocks(), *summary_lines(event)]
        return []

    def _print(self, ansi: str) -> None:
        from rich.text import Text

        self._console.print(Text.from_ansi(ansi), soft_wrap=True)

    def _draw(self) -> Any:
        from rich.text import Text

        with self._lock:
            columns, rows = self._console.width, self._console.height
            lines = self._lines(clock.monotonic(), columns - 1, max(rows - 4 - _WAITING, 1))
        return Text.from_ansi("\n".join(lines), no_wrap=True, overflow="crop")

    def _lines(self, now: float, columns: int, most: int) -> list[str]:
        """The board at the time `now`, in at most `columns` by `most` and a few lines."""
        shown = list(self._running.items())[:most]
        frame = _SPINNER[int((now - self._began) * _FRAMES) % len(_SPINNER)]
        lines = _running_lines(frame, shown, now, columns)
        if len(self._running) > most:
            lines.append(styled(f"  … and {len(self._running) - most} more running", "2"))
        lines += [
            styled(clip(f"· {stage} waits for {what}", columns), "2")
            for stage, what in self._waiting[:_WAITING]
        ]
        if len(self._waiting) > _WAITING:
            lines.append(styled(f"  … and {len(self._waiting) - _WAITING} more waiting", "2"))
        return [*lines, self._counts(now)]

    def _counts(self, now: float) -> str:
        left = self._total - self._done - len(self._running)
        parts = [f"{self._done} of {self._total} done"]
        parts += [f"{self._unchanged} unchanged"] if self._unchanged else []
        parts += [f"{len(self._running)} running"] if self._running else []
        parts += [f"{left} to come"] if left > 0 else []
        return styled(f"{' · '.join(parts)} · {duration(now - self._began)}", "1")


def _running_lines(
    frame: str, shown: list[tuple[str, _Running]], now: float, columns: int
) -> list[str]:
    """`⠋ train  on gpu  12.3s of ~1m 50s ━━━───  last line`, aligned, each in at most `columns`."""
    names = min(max((len(name) for name, _ in shown), default=0), _NAMES)
    places = [f"on {at.executor}" if at.executor != "local" else "" for _, at in shown]
    times = [_time(at, now) for _, at in shown]
    wide, long = max(map(len, places), default=0), max(map(len, times), default=0)
    bars = any(at.expected for _, at in shown) and columns >= names + wide + long + _BAR + 20
    result = []
    for (name, at), place, time in zip(shown, places, times, strict=True):
        fields = [place.ljust(wide)] * bool(wide) + [time.ljust(long)]
        fields += [_BAR * " "] * bars  # measured first: a style's codes have no width
        left = columns - 2 - names - sum(2 + len(text) for text in fields) - 2
        if bars:
            fields[-1] = _bar(at, now)
        tail = clip(at.line, left) if left >= 8 else ""
        head = f"{styled(frame, '36')} {styled(clip(name, names).ljust(names), '1')}"
        result.append("  ".join([head, *fields, styled(tail, "2")]))
    return result


def _time(at: _Running, now: float) -> str:
    elapsed = duration(now - at.started)
    return f"{elapsed} of ~{duration(at.expected)}" if at.expected else elapsed


def _bar(at: _Running, now: float) -> str:
    if not at.expected:
        return _BAR * " "
    full = min(int(_BAR * (now - at.started) / at.expected), _BAR)
    return styled("━" * full, "36") + styled("─" * (_BAR - full), "2")
