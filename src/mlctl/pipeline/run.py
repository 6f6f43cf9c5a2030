"""`mlctl run`: judge, schedule, run in parallel, record.

What is unchanged, and hangs on nothing that changed, is settled at once by the main thread. The
rest goes to worker threads as the scheduler hands it out, and is judged once more when its turn
comes: a stage whose deps came out as they were is not run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from mlctl.adapters import clock, git
from mlctl.pipeline.events import Emit, Event, RunStarted, StageFinished
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.plan import propagate
from mlctl.pipeline.planning import judge, read_durations, write_durations
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.request import Request
from mlctl.pipeline.results import RunResult, RunStatus, StageResult


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
    results: dict[int, StageResult] = {}
    serialised = _Serialised(emit)

    def finish(index: int, result: StageResult) -> None:
        results[index] = result
        serialised(_finished(result))

    project.mend_locks(request.indices, serialised)
    status, number = _bring_up_to_date(project, request, serialised, finish, before_first)
    in_order = tuple(results[index] for index in request.indices)
    write_durations(
        project.root, {r.stage.address: r.seconds for r in in_order if r.outcome == "ran"}
    )
    seconds = clock.monotonic() - begin
    result = RunResult(
        request.run_id, request.argv, started, seconds, request.jobs, status, in_order, number
    )
    if project.config.autostage and project.config.git_root is not None:
        there = [key for key in result.written_files if os.path.exists(project.path(key))]
        if there:
            git.git("add", "--", *there, cwd=project.root)
    return result


def _bring_up_to_date(
    project: Project,
    request: Request,
    emit: _Serialised,
    finish: Callable[[int, StageResult], None],
    before_first: Callable[[], None],
) -> tuple[RunStatus, int | None]:
    durations = read_durations(project.root)
    options = request.options
    with open_workspace(project) as workspace:
        observer = Observer(project, workspace)
        steps = judge(
            observer,
            request.indices,
            force=options.force,
            allow_missing=options.allow_missing,
            durations=durations,
        )
        addresses = tuple(step.stage.address for step in steps)
        emit(RunStarted(request.run_id, addresses, request.jobs, clock.now()))
        pending = []
        for index, step in zip(request.indices, propagate(steps), strict=True):
            if step.changed:
                pending.append(index)
            else:
                locked = project.locked(step.stage)
                finish(index, StageResult(step.stage, "unchanged", locked=locked))
        if not pending:
            return "finished", None
        # Imported here: nothing of what runs stages is needed where nothing is to do.
        from mlctl.pipeline.loop import Loop

        loop = Loop(request, emit, finish, observer, emit.closed.is_set)
        return loop.run(pending, durations, before_first), loop.signal


def _finished(result: StageResult) -> StageFinished:
    return StageFinished(
        result.stage.address,
        result.outcome,
        result.seconds,
        clock.now(),
        result.exit_code,
        result.message,
        result.log,
    )


class _Serialised:
    """Events come from several threads; a reader sees one at a time.

    `closed` is set once nobody reads: the other end of a pipe is gone.
    """

    def __init__(self, emit: Emit) -> None:
        self.closed = threading.Event()
        self._emit = emit
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            try:
                if not self.closed.is_set():
                    self._emit(event)
            except BrokenPipeError:
                self.closed.set()
