"""What the stages of one run share: options, services, and where logs go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from mlctl.adapters import git
from mlctl.executors import LOCAL, Executor, Watcher
from mlctl.pipeline.book import Book
from mlctl.pipeline.events import Emit
from mlctl.pipeline.journal import Journal
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.project import Project
from mlctl.pipeline.request import Options
from mlctl.pipeline.spec import Stage
from mlctl.store.locks import PathLocks
from mlctl.store.workspace import Workspace


def _nowhere(stage: Stage) -> Executor:
    raise AssertionError(f"{stage.address} was not meant to run")


def _here(_stage: Stage) -> str:
    return LOCAL


def _ignore(*_: str) -> None:
    """Nobody reads this stage's log."""


@dataclass(frozen=True, slots=True)
class Context:
    """The services of one run; `follow` and `release` begin and end the reading of a log.

    `place` names where a stage runs: `local`, or a host. `reach` makes of a PATH one on which
    stages of this machine find mlctl, `reach_python` the same of a PYTHONPATH.
    """

    run_id: str
    project: Project
    workspace: Workspace
    observer: Observer
    book: Book
    options: Options
    emit: Emit
    tracked_outs: frozenset[str]  # keys of cached outs that git tracks
    executor: Callable[[Stage], Executor] = _nowhere
    place: Callable[[Stage], str] = _here
    reach: Callable[[str], str] = str
    reach_python: Callable[[str], str] = str
    watcher: Watcher | None = None
    follow: Callable[[str, str], None] = _ignore
    release: Callable[[str], None] = _ignore
    durations: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        run_id: str,
        argv: Sequence[str],
        stages: Sequence[Stage],
        observer: Observer,
        options: Options,
        emit: Emit,
    ) -> Context:
        """What it takes to record `stages`, in serial order; to run them, add an executor."""
        project, workspace = observer.project, observer.workspace
        outs = [out.key for stage in stages for out in stage.outs if out.cache]
        tracked = git.tracked(outs, project.root) if project.config.git_root else set()
        claims = PathLocks(project.config, " ".join(argv))
        book = Book(project, workspace, claims, Journal(project.root, run_id), stages, emit)
        return cls(run_id, project, workspace, observer, book, options, emit, frozenset(tracked))

    def log(self, stage: Stage) -> str:
        """Where the stage's output goes in this run, from the root."""
        return log_path(self.run_id, stage.address)


def log_path(run_id: str, address: str) -> str:
    """The log of one stage of one run, from the root."""
    return os.path.join(logs_folder(run_id), file_name(address) + ".log")


def live_path(run_id: str, address: str) -> str:
    """The folder where the processes of one stage of one run may log, from the root."""
    return os.path.join(".mlctl", "live", run_id, file_name(address))


def file_name(address: str) -> str:
    """A valid file name that no two addresses share."""
    return quote(address, safe="@-_. ")


def logs_folder(run_id: str = "") -> str:
    """Where logs are kept, a folder for each run, from the root."""
    return os.path.join(".mlctl", "logs", run_id)
