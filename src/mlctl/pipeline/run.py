"""`mlctl run`: judge, schedule, run in parallel, record.

What is unchanged, and hangs on nothing that changed, is settled at once by the main thread. The
rest goes to worker threads as the scheduler hands it out, and is judged once more when its turn
comes: a stage whose deps came out as they were is not run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from mlctl.adapters import clock
from mlctl.pipeline.events import Emit, Event
from mlctl.pipeline.loop import Loop, Request
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.planning import write_durations
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.results import RunResult


def run(
    project: Project,
    request: Request,
    emit: Emit,
    before_first: Callable[[], None] = lambda: None,
) -> RunResult:
    """Bring the stages of `request` up to date and return what came of each.

    `before_first` is called once, before the first stage starts, and not at all when nothing is to
    do. Raises NotAble or InvalidInput where the plan cannot be run here at all.
    """
    started, begin = clock.now(), clock.monotonic()
    emit = _serialised(emit)
    with open_workspace(project) as workspace:
        loop = Loop(request, emit, Observer(project, workspace))
        status = loop.run(before_first)
    seconds = clock.monotonic() - begin
    results = tuple(loop.results[index] for index in request.indices)
    ran = {r.stage.address: r.seconds for r in results if r.outcome == "ran"}
    write_durations(project.root, ran)
    return RunResult(
        request.run_id, request.argv, started, seconds, request.jobs, status, results, loop.signal
    )


def _serialised(emit: Emit) -> Emit:
    """Events come from several threads; a reader sees one at a time."""
    lock = threading.Lock()

    def emit_one(event: Event) -> None:
        with lock:
            emit(event)

    return emit_one
