"""How `exp watch` shows a run that goes on: charts that move, lines in a pipe, JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mlctl.adapters import clock
from mlctl.cli._output import say, styled
from mlctl.cli._text import clip, count, duration
from mlctl.cli.exp._curves import Chart, Line, chart_lines, value_note
from mlctl.errors import InvalidInput
from mlctl.experiments.curve_forms import fewer, smoothed
from mlctl.experiments.live_view import Ending, Progress, State, Tails, find_running
from mlctl.experiments.plotting import across, matching
from mlctl.experiments.query import find_run
from mlctl.records.run_metrics import StepLine
from mlctl.records.ulid import short_form, ulid_seconds
from mlctl.reports.scales import short

if TYPE_CHECKING:
    from mlctl.experiments.curves import Curve

_HEIGHTS = (16, 12, 8, 5, 3)  # rows of a chart, the most for which there is room
_AROUND = 4  # rows of a chart but its canvas
_PERIOD = 1.0  # seconds from one look to the next
_SHARE = 10  # a look that takes long is taken once in that many times as long
_VALUES = 6  # of a stage, in a line


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be seen: metrics (names or patterns; none is all), the x axis, the smoothing."""

    metrics: Sequence[str]
    axis: str
    weight: float


class Shown(Protocol):
    """Shows a run as it goes on."""

    def begin(self, run_id: str) -> None: ...
    def new(self, run_id: str, stage: str | None, lines: list[StepLine]) -> None: ...
    def draw(self, run_id: str, progress: Progress) -> None: ...
    def end(self, status: str) -> None: ...
    def close(self) -> None: ...


def view(*, json: bool, look: Look) -> Shown:
    """Charts on a terminal, lines in a pipe, or JSON."""
    if json:
        return _JsonLines()
    return _Board(look) if sys.stdout.isatty() else _Plain()


def found(root: str, text: str, *, wait: bool | None) -> str:
    """The run to watch; waited for where none goes on and that is wanted."""
    wait = sys.stdout.isatty() if wait is None else wait
    told = False
    while (run_id := find_running(root, text)) is None:
        if not wait:
            raise InvalidInput(
                "no run is logging right now",
                hint="--wait waits for one; `mlctl exp plot` draws the last one",
            )
        if not told:
            sys.stderr.write("waiting for a run that logs; Ctrl-C ends\n")
            told = True
        clock.sleep(_PERIOD)
    return run_id


def follow(root: str, run_id: str, shown: Shown) -> None:
    """Show the run until it is over."""
    tails, progress, ending = Tails(root, run_id), Progress(), Ending(root, run_id)
    shown.begin(run_id)
    over = False
    while not over:
        began = clock.monotonic()
        over = ending.is_over()  # asked first: what was logged before that is still read
        for stage, lines in tails.more():
            progress.add(stage, lines)
            shown.new(run_id, stage, lines)
        shown.draw(run_id, progress)
        if not over:
            clock.sleep(max(_PERIOD, _SHARE * (clock.monotonic() - began)))
    shown.end(_status(root, run_id))


def _status(root: str, run_id: str) -> str:
    try:
        return find_run(root, run_id).status
    except InvalidInput:  # nobody has made its record, as its mlctl was killed
        return "gone"


class _Board:
    """The charts in one block that is redrawn in place, and stays as it is at the end."""

    def __init__(self, look: Look) -> None:
        from rich.live import Live

        from mlctl.cli._output import console

        self._look = look
        self._console = console()
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")

    def begin(self, run_id: str) -> None:
        self._live.start()

    def new(self, run_id: str, stage: str | None, lines: list[StepLine]) -> None:
        pass  # `draw` shows it

    def draw(self, run_id: str, progress: Progress) -> None:
        from rich.text import Text

        lines = board_lines(
            run_id, progress, self._look, width=self._console.width, rows=self._console.height - 1
        )
        text = Text.from_ansi("\n".join(lines), no_wrap=True, overflow="crop")
        self._live.update(text, refresh=True)

    def end(self, status: str) -> None:
        self._live.stop()
        say(f"The run is {status}." if status == "gone" else f"The run has ended: {status}.")

    def close(self) -> None:
        self._live.stop()


class _Plain:
    """A line for each stage that has moved on."""

    def __init__(self) -> None:
        self._seen: dict[str | None, float] = {}

    def begin(self, run_id: str) -> None:
        say(f"run {run_id}")

    def new(self, run_id: str, stage: str | None, lines: list[StepLine]) -> None:
        pass

    def draw(self, run_id: str, progress: Progress) -> None:
        for state in progress.states():
            if self._seen.get(state.stage) != state.step:
                self._seen[state.stage] = state.step
                say(state_line(state))
        sys.stdout.flush()

    def end(self, status: str) -> None:
        say(status)

    def close(self) -> None:
        pass


class _JsonLines:
    """A document for each logged step."""

    def begin(self, run_id: str) -> None:
        self._run_id = run_id

    def new(self, run_id: str, stage: str | None, lines: list[StepLine]) -> None:
        for it in lines:
            more = {"rank": it.rank} if it.rank else {}
            self._say({"stage": stage, "step": it.step, "t": it.t, "metrics": it.metrics, **more})

    def draw(self, run_id: str, progress: Progress) -> None:
        sys.stdout.flush()

    def end(self, status: str) -> None:
        self._say({"status": status})

    def close(self) -> None:
        sys.stdout.flush()

    def _say(self, data: dict[str, Any]) -> None:
        from mlctl.records.canonical import line

        sys.stdout.write(line({"schema": "mlctl.exp.watch/1", "run": self._run_id, **data}))


def board_lines(run_id: str, progress: Progress, look: Look, *, width: int, rows: int) -> list[str]:
    """A head, the stages, and as many charts as there is room for."""
    age = duration(max(clock.now() - ulid_seconds(run_id), 0.0))
    lines = [f"{styled(f'run {short_form(run_id)}', '1')}  {styled(age, '2')}"]
    states = progress.states()
    lines += [clip(state_line(state), width) for state in states[: max(rows // 3, 1)]]
    curves = progress.curves()
    if not curves:
        return [*lines, styled("nothing is logged yet", "2")]
    names = matching(list(curves), look.metrics) if look.metrics else list(curves)
    if not names:
        return [*lines, styled(f"not logged yet: {', '.join(look.metrics)}", "2")]
    room = rows - len(lines) - 2
    height, fit = _room(len(names), room, 2 if width >= 120 and len(names) > 1 else 1)
    charts = [_chart(name, curves[name], look, width) for name in names[:fit]]
    lines += ["", *chart_lines(charts, width=width, height=height, x_name=look.axis, several=False)]
    if len(names) > fit:
        lines[-1] = styled(f"{count(len(names) - fit, 'more metric')}: --metric NAME", "2")
    return lines


def state_line(state: State) -> str:
    """`train  step 120  loss 0.31  auc 0.93  12 steps/s`."""
    parts = [state.stage] if state.stage else []
    parts.append(f"step {short(state.step)}")
    values = list(state.metrics.items())
    parts += [f"{name} {short(value)}" for name, value in values[:_VALUES]]
    parts += [f"and {len(values) - _VALUES} more"] if len(values) > _VALUES else []
    if state.rate:
        parts.append(f"{short(state.rate, 3)} steps/s")
    return "  ".join(parts)


def _room(number: int, rows: int, beside: int) -> tuple[int, int]:
    """The height of a chart and how many fit: all of them if that can be."""
    for height in _HEIGHTS:
        fit = beside * (rows // (height + _AROUND))
        if fit >= number:
            return height, number
    return _HEIGHTS[-1], max(beside * (rows // (_HEIGHTS[-1] + _AROUND)), 1)


def _chart(name: str, curve: Curve, look: Look, width: int) -> Chart:
    drawn = fewer(smoothed(curve, look.weight) if look.weight else curve, 4 * width)
    return Chart(name, [Line(0, across(drawn, look.axis), drawn.values)], value_note(curve.values))
