"""A run that goes on, as somebody who looks at it sees it: what its stages log, as it comes."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from mlctl.adapters import clock
from mlctl.adapters.files import is_locked
from mlctl.errors import InvalidInput
from mlctl.experiments import live
from mlctl.experiments.adopting import last_word
from mlctl.experiments.curves import Curve
from mlctl.experiments.query import find_run
from mlctl.records.run import run_folder
from mlctl.records.run_metrics import Key, StepLine, keys_of, series_names
from mlctl.records.ulid import TIME_LENGTH, short_form, ulid_seconds
from mlctl.store.alive import watch_folder

_RECENT = 32  # lines of a stage that its rate is taken from
_SILENT = 600.0  # seconds without a word, after which a run that nobody holds is given up


class Tails:
    """Reads the files of a run as they grow; what is torn is read when it is whole."""

    def __init__(self, root: str, run_id: str) -> None:
        self._root, self._run_id = root, run_id
        self._began = ulid_seconds(run_id)
        self._offsets: dict[str, int] = {}

    def more(self) -> Iterator[tuple[str | None, list[StepLine]]]:
        """What each stage (None outside of a pipeline) has logged since the last look.

        The files of stages that run on a host are brought here while they grow.
        """
        for source in live.sources(self._root, self._run_id):
            lines = []
            try:
                for path, stage, rank in live.metric_files(source):
                    rows = map(_row, self._new_lines(path))
                    found = (live.step_line(row, stage, rank, self._began) for row in rows)
                    lines += [it for it in found if it is not None]
            except FileNotFoundError:  # the run has just ended
                continue
            if lines:
                yield source.stage, sorted(lines, key=lambda it: it.t)

    def _new_lines(self, path: str) -> list[bytes]:
        with open(path, "rb") as file:
            file.seek(self._offsets.get(path, 0))
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = self._offsets.get(path, 0) + len(whole)
        return whole.splitlines()


@dataclass
class Progress:
    """What a run has logged so far."""

    _points: dict[Key, tuple[list[float], list[float], list[float]]] = field(default_factory=dict)
    _recent: dict[str | None, deque[StepLine]] = field(default_factory=dict)

    def add(self, stage: str | None, lines: list[StepLine]) -> None:
        """Take in what a stage has logged since."""
        recent = self._recent.setdefault(stage, deque(maxlen=_RECENT))
        for it in lines:
            recent.append(it)
            for key in keys_of(it):
                steps, times, values = self._points.setdefault(key, ([], [], []))
                steps.append(it.step)
                times.append(it.t)
                values.append(it.metrics[key[2]])

    def curves(self) -> dict[str, Curve]:
        """The curves so far, named as `load_curves` names them."""
        return {
            name: Curve(*map(tuple, self._points[key]))
            for key, name in series_names(self._points).items()
        }

    def states(self) -> list[State]:
        """Where each stage is, in the order in which they began to log."""
        return [
            State(stage, lines[-1].step, self._last(stage), _rate(lines))
            for stage, lines in self._recent.items()
        ]

    def _last(self, stage: str | None) -> dict[str, float]:
        names = series_names(key for key in self._points if key[0] == stage)
        return {key[2]: self._points[key][2][-1] for key in names}


@dataclass(frozen=True, slots=True)
class State:
    """Where a stage is: its last step, the last value of each metric, and steps per second."""

    stage: str | None
    step: float
    metrics: dict[str, float]
    rate: float | None


class Ending:
    """Whether a run is over, of which nothing but its files are known."""

    def __init__(self, root: str, run_id: str) -> None:
        self._root, self._run_id = root, run_id
        self._was_held = False

    def is_over(self) -> bool:
        """It has a record, its script says so, or the process that ran it is gone."""
        folder = live.live_folder(self._root, self._run_id)
        record = os.path.join(self._root, run_folder(self._run_id))
        if not os.path.isdir(folder) or os.path.isdir(record):
            return True
        if live.is_of_python(self._root, self._run_id):
            return live.has_ended(self._root, self._run_id)
        if self._is_held():
            self._was_held = True
            return False
        return self._was_held or clock.now() - self._last_word(folder) > _SILENT

    def _last_word(self, folder: str) -> float:
        try:
            return max(last_word(folder), os.stat(folder).st_mtime)
        except FileNotFoundError:  # it has just ended
            return 0.0

    def _is_held(self) -> bool:
        folder = watch_folder(os.path.join(self._root, ".mlctl"))
        try:
            names = [name for name in os.listdir(folder) if name.endswith(f"-{self._run_id}")]
            return any(is_locked(os.path.join(folder, name)) for name in names)
        except OSError:
            return False


def running(root: str) -> list[str]:
    """The ids of the runs that log something right now, oldest first."""
    return [run_id for run_id in live.live_runs(root) if not Ending(root, run_id).is_over()]


def find_running(root: str, text: str) -> str | None:
    """The id of the run that goes on and that `text` names: `last`, or a part of its id as
    `find_run` takes it. None where `last` names none.

    Raises InvalidInput for a run that is over, and for one that is not there.
    """
    going_on = running(root)
    if text.lower() == "last":
        return going_on[-1] if going_on else None
    wanted = text.upper()
    found = [it for it in going_on if it.startswith(wanted) or it[TIME_LENGTH:].startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(map(short_form, found))
        raise InvalidInput(f"{text!r} names {len(found)} runs that go on: {names}")
    head = find_run(root, text)
    name = short_form(head.id)
    raise InvalidInput(f"run {name} is over: {head.status}", hint=f"mlctl exp plot {name}")


def _row(line: bytes) -> object:
    try:
        row: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row


def _rate(lines: deque[StepLine]) -> float | None:
    """Steps per second lately, by the time of the process that logs them."""
    first, last = lines[0], lines[-1]
    if last.t <= first.t or last.step <= first.step:
        return None
    return (last.step - first.step) / (last.t - first.t)
