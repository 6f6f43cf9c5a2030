"""A job's log as it grows, in pieces, and what becomes of the job meanwhile."""

from __future__ import annotations

import os
import time
from typing import Any, Iterator

from mlctl.hosts.agent import wire
from mlctl.hosts.agent.jobs import Job

MOST = 16  # frames of one log between two looks at what is asked for
_LOOK = 2.0  # seconds between two looks at whether a followed job is still watched


class Follower:
    """One log that is followed; `over` when the job has ended and all was told."""

    def __init__(self, job: Job, offset: int) -> None:
        self.job = job
        self.over = False
        self.behind = False  # there is more of the log than was told
        self._offset = offset if offset >= 0 else os.path.getsize(job.path("log"))
        self._state: dict[str, Any] | None = None
        self._looked = 0.0

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
