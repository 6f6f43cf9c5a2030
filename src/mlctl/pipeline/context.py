"""What the stages of one run share: options, services, and where logs go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from mlctl.executors import Executor
from mlctl.pipeline.book import Book
from mlctl.pipeline.events import Emit
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Stage
from mlctl.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for, with DVC's meaning of each."""

    force: bool = False
    keep_going: bool = False
    pull: bool = False
    allow_missing: bool = False
    commit: bool = True
    run_cache: bool = True
    wait: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """The services of one run; `follow` and `release` begin and end the reading of a log."""

    run_id: str
    project: Project
    observer: Observer
    workspace: Workspace
    book: Book
    options: Options
    emit: Emit
    executor: Callable[[Stage], Executor]
    follow: Callable[[str, str], None]
    release: Callable[[str], None]
    tracked_outs: frozenset[str]  # keys of cached outs that git tracks
    durations: Mapping[str, float]

    def log(self, stage: Stage) -> str:
        """Where the stage's output goes in this run, from the root."""
        return log_path(self.run_id, stage.address)


def log_path(run_id: str, address: str) -> str:
    """The log of one stage of one run, from the root; any address makes one valid file name."""
    return os.path.join(logs_folder(run_id), quote(address, safe="@-_. ") + ".log")


def logs_folder(run_id: str = "") -> str:
    """Where logs are kept, a folder for each run, from the root."""
    return os.path.join(".mlctl", "logs", run_id)
