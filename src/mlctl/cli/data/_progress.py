"""Transfers on a terminal: a bar with bytes, rate and time left; nothing where it is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlctl.data.versions.events import Emit, Event, Moved, Planned, quiet

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def watching(*, hidden: bool) -> Iterator[Emit]:
    """What draws the events of a transfer on stderr, for as long as the block lasts."""
    if hidden or not sys.stderr.isatty():
        yield quiet
        return
    bar = _progress()
    try:
        yield _Reader(bar)
    finally:
        bar.stop()


class _Reader:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", start=False, visible=False)

    def __call__(self, event: Event) -> None:
        match event:
            case Planned(objects=0):
                return
            case Planned():
                self._bar.remove_task(self._task)
                self._task = self._bar.add_task(
                    event.what, total=event.size or None, objects=event.objects, done=0
                )
                self._bar.start()
            case Moved():
                done = self._bar.tasks[-1].fields.get("done", 0) + event.objects
                self._bar.update(self._task, advance=event.size, done=done)


def _progress() -> Progress:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from mlctl.cli._output import console

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[done]} of {task.fields[objects]} objects", style="dim"),
        console=console(stderr=True),
        transient=True,
        refresh_per_second=8,
    )
