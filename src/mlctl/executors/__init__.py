"""Where a stage runs: a module for each place, named as users write it (`on: local`).

An executor module exposes a class `Executor` that keeps the protocol here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlctl.store.workspace import Workspace

LOCAL = "local"  # the executor of this machine


class Watcher(Protocol):
    """Ends what is left of a run's processes on this machine if mlctl is killed."""

    # To be called before a process is started; costs nothing after the first time.
    def start(self) -> None: ...

    # A process group began: its leader is the process `group`, in a session of its own.
    def began(self, group: int) -> None: ...

    # The leader has ended and was waited for: its number may become another's.
    def ended(self, group: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Files:
    """What a stage reads and writes, as keys from the DVC root: what an executor elsewhere needs.

    `outs` says of each whether it is cached; `persistent` are those that the command finds as they
    were, and so are among what it reads. Of the parameter files `params` only the `values` count.
    """

    workspace: Workspace
    wdir: str
    reads: tuple[str, ...]
    outs: tuple[tuple[str, bool], ...]
    persistent: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)


def _tell_nobody(_message: str) -> None:
    """What an executor has to say is not heard."""


@dataclass(frozen=True, slots=True)
class Job:
    """One stage to run: its shell commands in order, where, with what added to the environment.

    Everything that it prints goes to the file `log` (appended). `timeout` is in seconds, over all
    commands together; `watcher` is told of each process group. `secrets` are names of variables of
    ours that go along, and stand in no file. `tell` is for what a person should know meanwhile, and
    `live` the folder on this machine for what its processes log while they run.
    """

    address: str
    commands: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    log: str
    timeout: float | None = None
    watcher: Watcher | None = None
    files: Files | None = None
    gpus: int = 0
    secrets: tuple[str, ...] = ()
    tell: Callable[[str], None] = _tell_nobody
    live: str | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """How a job ended. `code` is the exit code of the last command (negative: the signal).

    `peak_memory` is in bytes and `cpu_seconds` user plus system, of the largest and of all
    commands, where the system tells. `place` is the host, where the executor chose it,
    and `host` what there is to say of it; `usage` is that of this machine over time
    (docs/formats/run.md).
    """

    code: int
    timed_out: bool = False
    cancelled: bool = False
    peak_memory: int | None = None
    cpu_seconds: float | None = None
    place: str | None = None
    host: Mapping[str, Any] | None = None
    usage: Mapping[str, Any] | None = None


class Executor(Protocol):
    """Runs jobs; `run` is called from several threads at once."""

    # Runs the job to its end. Raises NotAble where the command cannot be started at all.
    def run(self, job: Job) -> Exit: ...

    # What came of the job is recorded: nobody will ask for it again.
    def settle(self, job: Job) -> None: ...

    # The terminal is gone: jobs of this machine end, those of others go on without us.
    def leave(self) -> None: ...

    # No more jobs come.
    def close(self) -> None: ...

    # Ends every running job with its whole process group; `run` of each returns `cancelled`.
    # It asks first and kills what does not end in seconds; with `now` it kills at once.
    def cancel(self, *, now: bool = False) -> None: ...
