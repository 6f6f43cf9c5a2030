"""What a plan will be like in time: which stages may run side by side, and how long it takes."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from mlctl.pipeline.plan import Step


@dataclass(frozen=True, slots=True)
class Forecast:
    """Expected seconds of the stages that run with `jobs` at a time; `unknown` never ran before.

    `seconds` counts a stage of unknown time as 0, so it is a lower bound where `unknown` is not
    empty; it is None where no stage's time is known.
    """

    seconds: float | None
    unknown: tuple[str, ...]


def waves(steps: Sequence[Step]) -> list[list[Step]]:
    """The changed steps by depth: no step of a wave needs another one of the same wave.

    A step stands in the first wave in which all that it needs is done; within a wave the serial
    order holds.
    """
    depth: dict[str, int] = {}
    result: list[list[Step]] = []
    for step in steps:
        level = max((depth.get(address, 0) for address in step.needs), default=0)
        depth[step.stage.address] = level + step.changed
        if step.changed:
            if level == len(result):
                result.append([])
            result[level].append(step)
    return result


def forecast(steps: Sequence[Step], jobs: int) -> Forecast:
    """List scheduling of the changed steps over `jobs` slots, in serial order, mutexes honoured."""
    pending = [step for step in steps if step.changed]
    unknown = tuple(step.stage.address for step in pending if step.expected is None)
    if len(unknown) == len(pending):
        return Forecast(None if pending else 0.0, unknown)
    planned = {step.stage.address for step in steps}
    done = {step.stage.address: 0.0 for step in steps if not step.changed}
    held: set[str] = set()
    running: list[tuple[float, str, Step]] = []
    now = 0.0
    while pending or running:
        for step in [*pending]:
            free = len(running) < jobs and held.isdisjoint(step.stage.settings.mutex)
            if free and all(need in done or need not in planned for need in step.needs):
                pending.remove(step)
                held.update(step.stage.settings.mutex)
                heapq.heappush(running, (now + (step.expected or 0.0), step.stage.address, step))
        if not running:
            break  # steps that wait for one another: no plan of ours, and nothing to say of it
        now, address, finished = heapq.heappop(running)
        done[address] = now
        held.difference_update(finished.stage.settings.mutex)
    return Forecast(now, unknown)
