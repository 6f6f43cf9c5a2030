"""The run that a process logs to: its stage's, one that it started, or one begun by itself."""

from __future__ import annotations

import atexit
import itertools
import os
import sys
import threading
from typing import Any, List, Optional

from ._fork import renew_in_child
from ._group import agreed_id
from ._place import RUN, RUN_DIR, STAGE, group, new_id, project_root, rank
from ._run import Nowhere, Run, outcome
from ._script import Script
from ._warn import reason, warn

SWITCH, OFF = "MLCTL_LOG", ("0", "false", "no", "off")


class _Runs:
    """The open runs of this process; the last one is logged to."""

    def __init__(self) -> None:
        self.open: List[Run] = []
        self.started = itertools.count()
        self.forked()
        renew_in_child(self)

    def forked(self) -> None:
        self.lock = threading.RLock()
        self.beginning = False


_runs = _Runs()


def current() -> Run:
    """The run to log to; outside of a stage one begins where none is open. Raises nothing."""
    if _runs.open:
        return _runs.open[-1]
    with _runs.lock:
        if _runs.beginning:  # a signal's handler logs while its thread begins the run
            return Nowhere()
        if not _runs.open:
            _runs.beginning = True
            try:
                _runs.open.append(_inherited() or _begun(None))
            finally:
                _runs.beginning = False
        return _runs.open[-1]


def start_run(name: Optional[str] = None, params: Any = None) -> Run:
    """Begin a run, which `end` or the end of a `with` block ends. Raises nothing.

    In a stage, and in a further process of a run's training, it is the run that there is.
    """
    with _runs.lock:
        joined = _inherited() if STAGE in os.environ or rank() > 0 else None
        if joined is None:
            _runs.open.append(_begun(name))
        elif not any(run.folder == joined.folder for run in _runs.open):
            _runs.open.append(joined)
        run = _runs.open[-1]
    if params is not None:
        run.log_params(params)
    return run


def _is_off() -> bool:
    return os.environ.get(SWITCH, "").lower() in OFF


def _inherited() -> Optional[Run]:
    """The run of the stage, or of the process that started this one."""
    folder = os.environ.get(RUN_DIR)
    if _is_off() or (not folder and STAGE in os.environ):  # a stage of a place without a live area
        return Nowhere()
    return Run(os.environ.get(RUN, ""), folder) if folder else None


def _begun(name: Optional[str]) -> Run:
    """A new run; one that keeps nothing where that cannot be."""
    if _is_off():
        return _left_at_its_end(Nowhere())
    try:
        root, together, number = project_root(), group(), next(_runs.started)
        run_id = new_id() if together is None else agreed_id(root, together, number)
        script = Script(root, run_id)
        first = together is None or rank() == 0
        if first:
            script.begin(name)
    except Exception as error:
        warn("start", f"no run can be started, nothing will be logged: {reason(error)}")
        return _left_at_its_end(Nowhere())
    run = _left_at_its_end(Run(run_id, script.main))
    if first:
        run.when_ended(script.end)
    return run


def _left_at_its_end(run: Run) -> Run:
    def ended(_status: str, _exception: Optional[str]) -> None:
        if run in _runs.open:
            _runs.open.remove(run)

    run.when_ended(ended)
    return run


def _end_all() -> None:
    """At the end of the process: what is open ends, well unless an exception ended all."""
    error = None
    if not hasattr(sys, "ps1"):  # in a session, an error is not the end
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    for run in reversed(_runs.open[:]):
        run.end(*outcome(error))


atexit.register(_end_all)
