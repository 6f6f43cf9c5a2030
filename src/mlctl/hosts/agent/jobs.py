"""A job is a folder: its files say what is wanted, what was begun, and how it ended.

| file | written | by |
|---|---|---|
| `spec.json` | before anything else, never changed | the client's call |
| `agent.py` | the agent that watches this job | the client's call |
| `claim` | locked while a supervisor lives | the supervisor |
| `wait.json` | why it does not run yet | the supervisor |
| `start.json` | before the commands may start | the supervisor |
| `begun` | when they start | the runner |
| `log` | what they print | the commands |
| `rc.json` | their exit code | the runner |
| `cancel` | when somebody asked to end it | any call |
| `live/` | what they log of the training | the commands |
| `outs.json` | what was made, by content | whoever finishes it |
| `live.json` | what was logged, by content | whoever finishes it |
| `exit.json` | the end: nothing changes after it | whoever finishes it |
| `acked` | the client has it all | the client's call |

Every file is whole or not there. `state` tells what is true now; whoever asks may find that a
supervisor has died, and take its place (`supervise`).
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import time
from typing import Any, Mapping

from mlctl.hosts.agent import disk, processes

NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{5,63}")
PYTHON = (sys.executable, "-I", "-S", "-X", "utf8")
RESERVE = 1 << 20  # bytes kept free in each job, so that its end can be written on a full disk


class Unknown(Exception):
    """There is no such job here."""


class Job:
    """One job below a home."""

    def __init__(self, home: str, name: str) -> None:
        if not NAME.fullmatch(name):
            raise Unknown(name)
        self.home = home
        self.name = name
        self.folder = os.path.join(home, "jobs", name)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @property
    def work(self) -> str:
        """The work tree."""
        return self.path("work")

    def exists(self) -> bool:
        return os.path.exists(self.path("spec.json"))

    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] | None = disk.read(self.path("spec.json"))
        if spec is None:
            raise Unknown(self.name)
        return spec

    def create(self, spec: Mapping[str, Any], agent: bytes) -> None:
        """Make the folder; the same again changes nothing."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        if self.exists():
            return
        disk.write(self.path("agent.py"), agent)
        with open(self.path("log"), "ab"):
            pass
        _reserve(self.path("reserve"))
        disk.write(self.path("spec.json"), spec)
        disk.sync(os.path.dirname(self.folder))

    def end(self) -> dict[str, Any] | None:
        """The end as it was recorded, or None."""
        end: dict[str, Any] | None = disk.read(self.path("exit.json"))
        return end

    def record(self, name: str, data: Any) -> None:
        """Write one of the job's files, also on a full disk."""
        try:
            disk.write(self.path(name), data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            disk.remove(self.path("reserve"))
            disk.write(self.path(name), data)

    def finish(self, end: Mapping[str, Any]) -> None:
        """Record the end."""
        self.record("exit.json", end)
        disk.remove(self.path("reserve"))

    def state(self) -> dict[str, Any]:
        """`{state, …}`: `exited` with its end, or `waiting`, `running` or `starting`."""
        end = self.end()
        if end is not None:
            return dict(end, state="exited")
        start = disk.read(self.path("start.json"))
        if start is not None:
            return {"state": "running", "gpus": start["gpus"], "started": start["time"]}
        wait = disk.read(self.path("wait.json"))
        if wait is not None:
            return dict(wait, state="waiting")
        return {"state": "starting"}

    def is_supervised(self) -> bool:
        return disk.is_held(self.path("claim"))

    def ensure(self, secrets: Mapping[str, str] | None = None) -> None:
        """See to it that somebody watches this job, until it has ended.

        `secrets` are variables for its commands; they are on no disk, so a supervisor that takes
        over before they were needed has none.
        """
        if self.end() is None and not self.is_supervised():
            self.supervise(secrets)

    def supervise(self, secrets: Mapping[str, str] | None = None) -> None:
        """Start a supervisor that outlives us; returns when it has its claim, or has ended."""
        argv = [*PYTHON, self.path("agent.py"), "supervise", self.home, self.name]
        read_end, write_end = os.pipe()
        errors_path = self.path("supervisor.log")
        with open(os.devnull, "r+b") as nothing, open(errors_path, "ab") as errors:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=nothing,
                stderr=errors,
                start_new_session=True,
                cwd="/",
                pass_fds=[write_end],
                env=_environment(MLCTL_READY=str(write_end)),
            )
        os.close(write_end)
        try:
            assert child.stdin is not None
            child.stdin.write(json.dumps(secrets or {}).encode())
            child.stdin.close()
        except OSError:  # it found another one at work, and has ended
            pass
        with os.fdopen(read_end, "rb") as ready:
            ready.read()  # ends when it has its claim, or has ended


def names(home: str) -> list[str]:
    """All jobs, oldest first: names are ULIDs, which sort by time."""
    folder = os.path.join(home, "jobs")
    return sorted(name for name in os.listdir(folder) if NAME.fullmatch(name))


def clock() -> float:
    """Seconds since 1970 by this host's clock: for people, never compared with another's."""
    return round(time.time(), 3)


def _environment(**more: str) -> dict[str, str]:
    """Ours, without the mark of a job that we may be called from: it would be ended with that."""
    environment = dict(os.environ, **more)
    environment.pop(processes.MARK, None)
    return environment


def boot() -> str:
    return processes.boot_id()


def _reserve(path: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(handle, 0, RESERVE)
    finally:
        os.close(handle)
