"""Moving many objects at one time: threads that stop together, and what went wrong with each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Literal, NamedTuple

from mlctl.data.versions.events import Emit, Moved
from mlctl.errors import NotAble
from mlctl.store.hashing import Tick
from mlctl.store.verify import Object

_PATIENCE = 10.0  # seconds for files under way, once it is clear that the rest is not wanted


class Flaw(NamedTuple):
    """Why an object was not moved; `detail` is the hash that it has instead."""

    object: Object
    problem: Literal["missing", "damaged"]
    detail: str = ""


Move = Callable[[Object, Tick], Flaw | None]


class Stopped(Exception):
    """The rest is wanted no more."""


def move_all(sizes: Mapping[Object, int], move: Move, *, jobs: int, emit: Emit) -> list[Flaw]:
    """Call `move` for each object, `jobs` at one time; the flaws that it returned.

    `sizes` are bytes; `move` calls its tick with each part of them, as far as it knows.

    What it raises ends all of them, as does Ctrl-C: files under way are given up, and removed by
    whoever made them.
    """
    queue = iter(sizes.items())
    lock = threading.Lock()
    stop = threading.Event()
    flaws: list[Flaw] = []

    def work() -> None:
        counted = 0

        def tick(size: int) -> None:
            nonlocal counted
            if stop.is_set():
                raise Stopped
            counted += size
            if size:
                with lock:
                    emit(Moved(size, 0))

        while not stop.is_set():
            with lock:
                item, size = next(queue, (None, 0))
            if item is None:
                return
            counted = 0
            flaw = move(item, tick)
            with lock:
                if flaw is not None:
                    flaws.append(flaw)
                emit(Moved(size - counted, 1))

    pool = ThreadPoolExecutor(jobs, "mlctl-move")
    futures = [pool.submit(work) for _ in range(min(jobs, len(sizes)))]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        stop.set()
        wait(futures, timeout=_PATIENCE)
        pool.shutdown(wait=False)
    errors = [error for future in futures if future.done() and (error := future.exception())]
    for error in errors:
        if not isinstance(error, Stopped):
            raise error
    return flaws


def raise_flaws(flaws: Iterable[Flaw], names: dict[Object, str], where: str, hint: str) -> None:
    """Raise NotAble where there are any; `names` are what people know the objects by."""
    listed = [f"{names.get(flaw.object, '?')} ({flaw.object.md5}) {_said(flaw)}" for flaw in flaws]
    if listed:
        more = f"\n  and {len(listed) - 5} more" if len(listed) > 5 else ""
        raise NotAble(f"{where}:\n  " + "\n  ".join(listed[:5]) + more, hint=hint)


def _said(flaw: Flaw) -> str:
    return f"is damaged: its md5 is {flaw.detail}" if flaw.problem == "damaged" else "is missing"
