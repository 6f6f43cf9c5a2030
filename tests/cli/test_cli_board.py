import io
import re
import threading

import pytest
from rich.console import Console

from mlctl.cli._board import Board
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

SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"


def board(width: int = 80, height: int = 24, **options: bool) -> tuple[Board, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=width, height=height, color_system=None,
        legacy_windows=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    return Board(console, **options), stream


def started(name: str, expected: float | None = None, executor: str = "local") -> StageStarted:
    return StageStarted(name, "c", executor, (), 1, f"{name}.log", 0.0, expected)


def drawn(made: Board, columns: int = 79, most: int = 10, after: float = 6.0) -> list[str]:
    lines = made._lines(made._began + after, columns, most)
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines]


def play(made: Board, *events: Event) -> None:
    for event in events:
        made(event)


def test_it_shows_what_runs_what_waits_and_the_counts() -> None:
    made, _ = board()
    try:
        play(
            made,
            RunStarted(
                "01M85E9BMPR0QTMZ6TJCCF574J", ("a", "b", "train@x", "report", "late"), 2, 0.0
            ),
            StageFinished("a", "unchanged", 0, 0),
            Waiting((("report", "mutex db"), ("b", "cpus"))),
            started("b"),
            started("train@x", 12.0, "gpu"),
            StageOutput("train@x", "1%\r50% epoch 3"),
            StageOutput("train@x", "   "),
        )
        made._running["b"] = made._running["b"].__class__(made._began, None, "local")
        one = made._running["train@x"]
        made._running["train@x"] = one.__class__(made._began, 12.0, "gpu", one.line)
        lines = drawn(made)
    finally:
        made.close()
    assert lines[0][1:] == " b                6.0s"
    assert lines[1][1:] == " train@x  on gpu  6.0s of ~12.0s  ━━━━━━──────  50% epoch 3"
    assert lines[2:] == [
        "· report waits for mutex db",
        "1 of 5 done · 1 unchanged · 2 running · 2 to come · 6.0s",
    ]


@pytest.mark.parametrize("columns", [20, 40, 60, 79, 200])
def test_running_lines_fit_the_terminal(columns: int) -> None:
    made, _ = board()
    try:
        names = [f"train@{'x' * i}" for i in range(0, 40, 5)]
        play(made, RunStarted("01M85E9BMPR0QTMZ6TJCCF574J", tuple(names), 8, 0.0))
        for name in names:
            play(made, started(name, 30.0, "gpu"), StageOutput(name, "y" * 300))
        lines = drawn(made, columns, most=5)
    finally:
        made.close()
    assert len(lines) == 5 + 1 + 1
    if columns >= 60:
        assert max(map(len, lines)) <= columns


def test_done_lines_scroll_by_and_the_end_tells_failures() -> None:
    made, stream = board()
    play(
        made,
        RunStarted("01M85E9BMPR0QTMZ6TJCCF574J", ("a", "b"), 2, 0.0),
        started("a"),
        Notice("careful"),
        StageFinished("a", "ran", 2.0, 0),
        started("b"),
        StageOutput("b", "Traceback"),
        StageFinished("b", "failed", 1.0, 0, 3, None, "b.log"),
        RunFinished({"ran": 1, "failed": 1}, 3.0, "runs/x"),
    )
    made.close()
    text = stream.getvalue()
    for line in (
        "warning: careful",
        "✓ a  2.0s",
        "✗ b  exit code 3 after 1.0s",
        "  Traceback",
        "the whole log: b.log",
        "Failed in 3.0s: 1 ran, 1 failed.",
        "record: runs/x",
    ):
        assert line in text
    assert text.count(HIDE) == text.count(SHOW) == 1


def test_close_in_the_middle_shows_the_cursor_again_and_stops_the_thread() -> None:
    before = set(threading.enumerate())
    made, stream = board()
    play(made, RunStarted("01M85E9BMPR0QTMZ6TJCCF574J", ("a",), 1, 0.0), started("a"))
    (thread,) = set(threading.enumerate()) - before
    assert SHOW not in stream.getvalue()
    made.close()
    made.close()
    assert stream.getvalue().count(SHOW) == 1
    thread.join(5)
    assert not thread.is_alive()


def test_verbose_lets_all_output_scroll_by() -> None:
    made, stream = board(verbose=True)
    play(
        made,
        RunStarted("01M85E9BMPR0QTMZ6TJCCF574J", ("a", "b"), 1, 0.0),
        StageFinished("b", "unchanged", 0, 0),
        started("a"),
        StageOutput("a", "[red]markup[/red] stays"),
        StageFinished("a", "ran", 1.0, 0),
        RunFinished({"ran": 1}, 1.0),
    )
    made.close()
    for line in (
        "run R0QTMZ: 2 stages, 1 job",
        "= b  unchanged",
        "▸ a",
        "a [red]markup[/red] stays",
    ):
        assert line in stream.getvalue()
