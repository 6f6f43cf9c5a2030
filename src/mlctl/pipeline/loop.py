"""The loop of a run: hand out stages to threads, take their results, record, stop on a signal."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial

from mlctl.adapters import clock
from mlctl.adapters.files import is_locked, remove_tree
from mlctl.errors import Busy, MlctlError, refused
from mlctl.executors import _devices
from mlctl.executors._reach import path_with_mlctl
from mlctl.executors._shim import path_with_tracking
from mlctl.executors._tail import Tail
from mlctl.executors._watch import RunWatcher, end_abandoned
from mlctl.pipeline import feasible
from mlctl.pipeline.attempt import Attempt
from mlctl.pipeline.context import Context, logs_folder
from mlctl.pipeline.events import Emit, StageOutput, Waiting
from mlctl.pipeline.fingerprint import changes
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.places import Places
from mlctl.pipeline.plan import Reason
from mlctl.pipeline.planning import upstream_digests
from mlctl.pipeline.request import Request
from mlctl.pipeline.results import RunStatus, StageResult
from mlctl.pipeline.scheduler import Scheduler, Slots
from mlctl.pipeline.spec import Stage

KEPT_LOGS = 20  # runs whose logs are kept
_TICK = 0.25  # seconds between two looks at the time while stages run
_WAITS_TOLD = 50  # stages whose waiting is told: more is not looked at, and takes time to find out
_AHEAD = 0.1  # seconds that a stage may be claimed before it starts

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Finish = Callable[[int, StageResult], None]
Outcome = StageResult | BaseException | None  # None wakes the loop up


class Loop:
    """One run. Everything but `_work` happens in the main thread."""

    def __init__(
        self,
        request: Request,
        emit: Emit,
        finish: Finish,
        observer: Observer,
        unheard: Callable[[], bool] = lambda: False,
    ) -> None:
        self.signal: int | None = None
        self._unheard = unheard  # whether nobody reads the events any more
        self._project = observer.project
        self._request = request
        self._emit = emit
        self._finish = finish
        self._observer = observer
        self._watcher = RunWatcher(self._project.config.local_dir, request.run_id)
        self._places = Places(request.where)
        self._finished: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()
        self._failed = False
        self._ends: deque[float] = deque()  # when the latest stages ended

    def run(
        self,
        pending: Sequence[int],
        durations: Mapping[str, float],
        before_first: Callable[[], None],
    ) -> RunStatus:
        """Run the stages `pending`, given by their indices in serial order."""
        self._context = self._make_context(pending, durations)
        self._scheduler = self._make_scheduler(pending)
        before_first()
        ended_well = False
        end_abandoned(self._project.config.local_dir)
        try:
            self._run_pending(pending)
            ended_well = self.signal is None and not self._failed
        finally:
            self._tail.close()
            self._places.close()
            self._watcher.close(leave=ended_well)
        if self.signal is not None:
            return "interrupted"
        return "failed" if self._failed else "finished"

    def _make_context(self, pending: Sequence[int], durations: Mapping[str, float]) -> Context:
        project, request = self._project, self._request
        self._tail = Tail(lambda address, line: self._emit(StageOutput(address, line)))
        os.makedirs(project.path(logs_folder(request.run_id)), exist_ok=True)
        _forget_old_logs(project.path(logs_folder()))
        stages = [project.stages[index] for index in pending]
        context = Context.make(
            request.run_id, request.argv, stages, self._observer, request.options, self._emit
        )
        return replace(
            context,
            executor=self._places.executor,
            place=self._places.of,
            # Looked up once: most stages have the PATH of all the others.
            reach=cache(partial(path_with_mlctl, local_dir=project.config.local_dir)),
            reach_python=cache(partial(path_with_tracking, local_dir=project.config.local_dir)),
            watcher=self._watcher,
            follow=self._tail.follow,
            release=self._tail.release,
            durations=durations,
        )

    def _make_scheduler(self, pending: Sequence[int]) -> Scheduler:
        places = {index: place for place, index in enumerate(pending)}
        graph = self._project.graph
        needs = [[places[n] for n in graph.needs[i] if n in places] for i in pending]
        stages = [self._project.stages[index] for index in pending]
        settings = [self._places.needs(stage) for stage in stages]
        gpus = _devices.gpus() if any(s.gpus for s in settings) else ()
        with self._project.naming_lines():
            for stage in stages:
                self._places.executor(stage)
                feasible.check(
                    stage,
                    gpus=len(gpus) if self._places.is_here(stage) else None,
                    environment=os.environ,
                    ignored=self._project.is_ignored_out,
                )
        memory = _devices.memory() if any(s.memory for s in settings) else None
        slots = Slots(self._request.jobs, memory, gpus)
        return Scheduler(needs, settings, slots, graph.sequences(pending))

    def _run_pending(self, pending: Sequence[int]) -> None:
        with self._signals():
            try:
                self._hand_out(pending)
                self._context.book.close()
            except BaseException:
                self._context.book.abandon()
                raise

    def _hand_out(self, pending: Sequence[int]) -> None:
        waiting_told = clock.monotonic()
        with ThreadPoolExecutor(self._request.jobs, "stage") as pool:
            try:
                while not self._scheduler.done:
                    if self.signal is None and self._unheard():
                        self._stop(signal.SIGPIPE)
                    if self.signal is not None:
                        self._drop(self._scheduler.drop_rest(), pending, "interrupted")
                    while (started := self._scheduler.start_next()) is not None:
                        self._claim(started[0], pending)
                        pool.submit(self._work, started[0], pending[started[0]], started[1])
                    try:
                        place, outcome = self._finished.get(timeout=_TICK)
                    except queue.Empty:
                        place, outcome = -1, None
                    if outcome is not None:
                        self._take(place, outcome, pending)
                    if clock.monotonic() - waiting_told > _TICK:
                        waiting_told = clock.monotonic()
                        self._tell_waiting(pending)
                    self._context.book.release_ahead(_AHEAD)
                    self._context.book.fold()
            except BaseException:
                self._cancel(partial(self._places.cancel, now=False))
                raise

    def _claim(self, place: int, pending: Sequence[int]) -> None:
        """Claim the stage at `place`, where that can be done together with the next ones: as many
        as come to their end in `_AHEAD` at the pace of now.
        """
        now, book, stages = clock.monotonic(), self._context.book, self._project.stages
        while self._ends and self._ends[0] < now - _AHEAD:
            self._ends.popleft()
        if self._ends and not book.is_claimed(stages[pending[place]]):
            places = [place, *self._scheduler.next_ready(len(self._ends))]
            book.claim_ahead([stages[pending[p]] for p in places])

    def _work(self, place: int, index: int, gpus: Sequence[str]) -> None:
        try:
            outcome: Outcome = self._process(index, gpus)
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            outcome = error
        self._finished.put((place, outcome))

    def _process(self, index: int, gpus: Sequence[str]) -> StageResult:
        """Bring one stage up to date; what fails for a reason of the user's is told, not raised."""
        stage = self._project.stages[index]
        started, begin = clock.now(), clock.monotonic()
        attempt: Attempt | None = None
        message: str | None = None
        locked, busy = None, False
        try:
            reasons = self._reasons(index)
            if not reasons:
                self._context.book.release(stage)
                return self._unchanged(stage)
            with self._context.book.claim(stage, wait=self._request.options.wait) as outdated:
                if outdated:
                    self._observer.forget(_keys(stage))
                    reasons = self._reasons(index)
                    if not reasons:
                        return self._unchanged(stage)
                attempt = Attempt(self._context, stage, reasons, gpus)
                outcome, locked = attempt.bring_up_to_date()
        except Busy as error:
            outcome, message, busy = "failed", _told(error), True
        except (MlctlError, OSError) as error:
            outcome, message = "failed", _told(error)
        end = attempt.exit if attempt else None
        if (end is not None and end.cancelled) or (busy and self.signal is not None):
            outcome = "cancelled"
        return StageResult(
            stage,
            outcome,
            attempt.reasons if attempt else (),
            started,
            clock.monotonic() - begin,
            end.code if end else None,
            attempt.attempts if attempt else 1,
            (end.place if end else None) or self._places.of(stage),
            locked,
            attempt.log if attempt else None,
            message,
            end.peak_memory if end else None,
            end.cpu_seconds if end else None,
            end.host if end else None,
            busy,
            end.usage if end else None,
        )

    def _unchanged(self, stage: Stage) -> StageResult:
        return StageResult(stage, "unchanged", locked=self._context.book.locked(stage))

    def _reasons(self, index: int) -> tuple[Reason, ...]:
        """Why the stage is changed now that all before it is done."""
        stage, allow_missing = self._project.stages[index], self._request.options.allow_missing
        locked = self._context.book.locked(stage)
        reasons = changes(
            stage,
            locked,
            self._observer.seen(stage, locked),
            allow_missing=allow_missing,
            upstream=upstream_digests(self._project, index) if allow_missing else None,
        )
        return reasons or ((Reason("forced"),) if self._request.options.force else ())

    def _take(
        self, place: int, outcome: StageResult | BaseException, pending: Sequence[int]
    ) -> None:
        if isinstance(outcome, BaseException):
            raise outcome
        self._ends.append(clock.monotonic())
        if outcome.outcome in {"failed", "cancelled"}:
            self._failed = True
            self._finish(pending[place], outcome)
            after = f"after {outcome.stage.address!r} failed"
            self._drop(self._scheduler.drop(place), pending, after)
            if not self._request.options.keep_going:
                self._drop(self._scheduler.drop_rest(), pending, after)
        else:
            self._scheduler.finish(place)
            self._finish(pending[place], outcome)

    def _drop(self, places: Sequence[int], pending: Sequence[int], message: str) -> None:
        for place in places:
            stage = self._project.stages[pending[place]]
            self._finish(pending[place], StageResult(stage, "skipped", message=message))

    def _tell_waiting(self, pending: Sequence[int]) -> None:
        waits = self._scheduler.waits(_WAITS_TOLD)
        if waits:
            stages = self._project.stages
            self._emit(
                Waiting(tuple((stages[pending[p]].address, why) for p, why in waits.items()))
            )

    def _stop(self, number: int) -> None:
        """End the stages and then the run; a second time, kill at once."""
        now = self.signal is not None
        self.signal = self.signal or number
        cancel = partial(self._places.cancel, now=now)
        end = self._places.leave if number == signal.SIGHUP else cancel
        threading.Thread(target=self._cancel, args=[end], daemon=True).start()

    def _cancel(self, end: Callable[[], None]) -> None:
        self._context.book.stop_waiting()
        end()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal end the run, but for what `nohup` has it ignore."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, _frame: object) -> None:
            self._stop(number)
            self._finished.put((-1, None))  # SimpleQueue.put may be called from a handler

        heard = [n for n in _SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
        before = {number: signal.signal(number, stop) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _keys(stage: Stage) -> Iterator[str]:
    yield from (dep.key for dep in stage.deps)
    yield from (dep.key for dep in stage.params)
    yield from (out.key for out in stage.outs)


def _told(error: Exception) -> str:
    """What a user reads of a failed stage: the message, and on a line of its own what to do."""
    if isinstance(error, OSError):
        return str(refused(error))
    hint = getattr(error, "hint", None)
    return f"{error}\nhint: {hint}" if hint else str(error)


def _forget_old_logs(folder: str) -> None:
    # Run ids are ULIDs: their names sort by time.
    for name in sorted(os.listdir(folder))[:-KEPT_LOGS]:
        run = os.path.join(folder, name)
        if not any(is_locked(os.path.join(run, log)) for log in os.listdir(run)):
            remove_tree(run)
