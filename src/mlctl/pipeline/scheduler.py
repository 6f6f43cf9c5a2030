"""Which stage may start now: dependencies, slots, memory, GPUs and mutexes.

Pure: it is told what started and what ended. Ties are broken by DVC's serial order, so the same
plan starts in the same order every time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlctl.pipeline.spec import Settings


@dataclass(frozen=True, slots=True)
class Slots:
    """What there is to share. `memory` is in bytes; None means that it is not counted."""

    jobs: int
    memory: int | None = None
    gpus: tuple[str, ...] = ()


class Scheduler:
    """Hands out steps as what they need becomes free.

    `needs` maps each step (by its place in the serial order) to the places that it waits for.
    `after` does too, but there it does not matter how what it waits for ends. A step that asks for
    more than there is runs alone rather than never.
    """

    def __init__(
        self,
        needs: Sequence[Iterable[int]],
        settings: Sequence[Settings],
        slots: Slots,
        after: Sequence[Iterable[int]] | None = None,
    ) -> None:
        self._waiting = [set(needed) for needed in needs]
        self._users = _turned(self._waiting)
        self._followers = _turned(after or [()] * len(needs))
        for step, others in enumerate(after or ()):
            self._waiting[step].update(others)
        self._settings = settings
        self._slots = slots
        self._ready = [step for step, needed in enumerate(self._waiting) if not needed]
        heapq.heapify(self._ready)
        self._running: dict[int, tuple[str, ...]] = {}
        self._gone: set[int] = set()
        self._left = len(self._waiting)

    @property
    def done(self) -> bool:
        """Whether every step was finished or dropped."""
        return self._left == 0

    @property
    def running(self) -> frozenset[int]:
        """The steps that were started and have not ended."""
        return frozenset(self._running)

    def start_next(self) -> tuple[int, tuple[str, ...]] | None:
        """Start the first ready step that fits, and say which GPUs it got; None where none fits."""
        passed: list[int] = []
        started: tuple[int, tuple[str, ...]] | None = None
        while self._ready and len(self._running) < self._slots.jobs:
            step = heapq.heappop(self._ready)
            if self._missing(step) is None:
                gpus = tuple(self._free_gpus()[: self._settings[step].gpus])
                self._running[step] = gpus
                started = (step, gpus)
                break
            passed.append(step)
        for step in passed:
            heapq.heappush(self._ready, step)
        return started

    def next_ready(self, count: int) -> list[int]:
        """The next ready steps, `count` at most, in the order in which they would start."""
        return heapq.nsmallest(count, self._ready)

    def finish(self, step: int) -> None:
        """`step` ended well (or needed nothing): what waited for it may go on."""
        self._running.pop(step, None)
        self._left -= 1
        self._let_go([step], self._users)
        self._let_go([step], self._followers)

    def drop(self, step: int) -> list[int]:
        """`step` failed: returns, in order, the others that depend on it and so will not run."""
        self._running.pop(step, None)
        hanging = {step}
        stack = [step]
        while stack:
            for user in self._users[stack.pop()]:
                if user not in hanging:
                    hanging.add(user)
                    stack.append(user)
        return [s for s in self._give_up(hanging) if s != step]

    def drop_rest(self) -> list[int]:
        """Nothing new starts: every step that has not started is dropped; returns them in order."""
        waiting = (s for s, needed in enumerate(self._waiting) if needed)
        return self._give_up({*self._ready, *waiting})

    def _give_up(self, steps: set[int]) -> list[int]:
        given_up = sorted(steps - self._gone)
        self._gone.update(given_up)
        self._ready = [step for step in self._ready if step not in self._gone]
        heapq.heapify(self._ready)
        self._left -= len(given_up)
        self._let_go(given_up, self._followers)
        return given_up

    def _let_go(self, ended: Iterable[int], waiters: Sequence[Iterable[int]]) -> None:
        for step in ended:
            for waiter in waiters[step]:
                if step in self._waiting[waiter]:
                    self._waiting[waiter].discard(step)
                    if not self._waiting[waiter] and waiter not in self._gone:
                        heapq.heappush(self._ready, waiter)

    def waits(self, most: int) -> Mapping[int, str]:
        """What each of the next ready steps waits for, in words; `most` of them."""
        return {step: self._missing(step) or "a free slot" for step in self.next_ready(most)}

    def _missing(self, step: int) -> str | None:
        asked = self._settings[step]
        busy_mutexes = {m for s in self._running for m in self._settings[s].mutex}
        taken = next((m for m in asked.mutex if m in busy_mutexes), None)
        if taken is not None:
            return f"mutex {taken}"
        if not self._running:
            return None
        used = sum(self._settings[s].cpus for s in self._running)
        if used + asked.cpus > self._slots.jobs:
            return f"{asked.cpus} cpus" if asked.cpus > 1 else "a free slot"
        if asked.gpus > len(self._free_gpus()):
            return f"{asked.gpus} gpus" if asked.gpus > 1 else "a gpu"
        if self._slots.memory is not None and asked.memory is not None:
            reserved = sum(self._settings[s].memory or 0 for s in self._running)
            if reserved + asked.memory > self._slots.memory:
                return "memory"
        return None

    def _free_gpus(self) -> list[str]:
        taken = {gpu for gpus in self._running.values() for gpu in gpus}
        return [gpu for gpu in self._slots.gpus if gpu not in taken]


def _turned(edges: Sequence[Iterable[int]]) -> list[list[int]]:
    """From each step to those whose edges lead to it."""
    turned: list[list[int]] = [[] for _ in edges]
    for step, others in enumerate(edges):
        for other in others:
            turned[other].append(step)
    return turned
