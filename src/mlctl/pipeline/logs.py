"""The logs of stages: which run wrote the newest one, and whether it still goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlctl.adapters.files import is_locked
from mlctl.errors import InvalidInput
from mlctl.pipeline import targets
from mlctl.pipeline.context import log_path, logs_folder
from mlctl.pipeline.project import Project


@dataclass
class Log:
    """One stage's newest log: `path` from the root, `run` the run that wrote it."""

    root: str
    stage: str
    run: str
    path: str
    _offset: int = 0

    def read(self) -> str:
        """All that the stage has printed so far."""
        self._offset = 0
        return self.more()

    def more(self) -> str:
        """What it has printed since the last look."""
        with open(os.path.join(self.root, self.path), "rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        return data.decode("utf-8", "replace")

    def running(self) -> bool:
        """Whether the stage, or a process that it left behind, may still print."""
        return is_locked(os.path.join(self.root, self.path))


def find_log(target: str) -> Log:
    """The newest log of the stage `target`. Raises InvalidInput where it never ran here."""
    project = Project.open()
    found = targets.resolve(project.stages, [target], cwd=project.cwd)
    if len(found) > 1:
        names = ", ".join(project.stages[index].address for index in found[:5])
        raise InvalidInput(f"{target!r} is more than one stage", hint=f"choose one: {names}")
    stage = project.stages[found[0]]
    folder = project.path(logs_folder())
    for run in sorted(os.listdir(folder), reverse=True) if os.path.isdir(folder) else []:
        path = log_path(run, stage.address)
        if os.path.exists(project.path(path)):
            return Log(project.root, stage.address, run, path)
    raise InvalidInput(
        f"there is no log of {stage.address!r}",
        hint="it has not run here, or too long ago; `mlctl run` keeps the last runs' logs",
    )
