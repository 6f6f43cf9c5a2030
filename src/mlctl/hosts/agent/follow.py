"""A job's log as it grows, what its processes log of the training, and what becomes of the job."""

from __future__ import annotations

import os
import time
from typing import Any, Iterator, Mapping

from mlctl.hosts.agent import live, wire
from mlctl.hosts.agent.jobs import Job

MOST = 16  # frames of one log between two looks at what is asked for
_LOOK = 2.0  # seconds between two looks at whether a followed job is still watched
_LISTEN = 0.5  # seconds between two looks at what its processes log


class Follower:
    """One log that is followed; `over` when the job has ended and all was told."""

    def __init__(self, job: Job, offset: int, told: Mapping[str, int] | None = None) -> None:
        self.job = job
        self._live = None if told is None else live.News(job, told)
        self.over = False
        self.behind = False  # there is more of the log than was told
        self._offset = offset if offset >= 0 else os.path.getsize(job.path("log"))
        self._state: dict[str, Any] | None = None
        self._looked = 0.0
        self._heard = 0.0

    def news(self) -> Iterator[tuple[bytes, Any]]:
        """Frames that tell what is new."""
        now = time.monotonic()
        ended = self.job.end() is not None  # before the log is read: nothing comes after it
        if not ended and now - self._looked > _LOOK:
            self._looked = now
            self.job.ensure()
        yield from self._log()
        if self.behind:
            return
        if self._live is not None and (ended or now - self._heard > _LISTEN):
            self._heard = now
            yield from self._live.frames()
        state = self.job.state()
        if ended:
            self.over = True
            yield wire.END, state
        elif state != self._state:
            self._state = state
            yield wire.STATE, state

    def _log(self) -> Iterator[tuple[bytes, bytes]]:
        with open(self.job.path("log"), "rb", buffering=0) as file:
            file.seek(self._offset)
            for _ in range(MOST):
                data = file.read(wire.CHUNK)
                self._offset += len(data)
                self.behind = len(data) == wire.CHUNK
                if data:
                    yield wire.DATA, data
                if not self.behind:
                    return
