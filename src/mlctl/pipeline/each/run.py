"""One `mlctl each`: items compared with what is known, the rest processed, the out made whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mlctl.errors import InvalidInput
from mlctl.pipeline.each import known
from mlctl.pipeline.each.items import Known, divide, names_of
from mlctl.pipeline.each.known import Lines
from mlctl.pipeline.each.stage import (
    Request,
    Task,
    find_stage,
    inputs_of,
    open_project,
    out_of,
    task_of,
    wrong,
)
from mlctl.pipeline.each.work import Ended, Worker, alone, process_all, working_place
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.project import open_workspace
from mlctl.pipeline.spec import Stage
from mlctl.store import checkout, results
from mlctl.store.tree import TreeEntry
from mlctl.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Result:
    """How it went: counts of items, and the failed ones with the reason."""

    stage: str
    items: int
    unchanged: int
    ran: int
    failed: Mapping[str, str]

    @property
    def left(self) -> int:
        """Items that were not tried."""
        return self.items - self.unchanged - self.ran - len(self.failed)


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told: that another one works on the out; the counts of items and of those to do; each
    item as it ends."""

    waiting: Callable[[], None]
    started: Callable[[int, int], None]
    ended: Callable[[Ended], None]


def run(request: Request, environment: Mapping[str, str], listener: Listener) -> Result:
    """Bring the out up to date with the items; it is not touched where an item fails.

    Raises InvalidInput outside of a stage, and ConfigError where the stage and the command line do
    not fit together.
    """
    project = open_project(environment)
    stage = find_stage(project, environment)
    local_dir = project.config.local_dir
    with project.naming_lines(), open_workspace(project) as workspace:
        out = out_of(stage, request.out)
        with alone(local_dir, out.key, listener.waiting):
            observer = Observer(project, workspace)
            task = task_of(stage, request, out, observer)
            context = known.context(inputs_of(stage, observer), task)
            lines = Lines(local_dir, context)
            before: Known = {}
            if environment.get("MLCTL_EACH") != "all":
                recorded = known.from_lock(workspace.cache, project.locked(stage), task, context)
                before = {**recorded, **lines.read()}
            try:
                return _Work(stage, task, workspace, lines).run(before, listener)
            finally:
                lines.close()
                workspace.cache.flush()
                known.sweep(local_dir)


class _Work:
    """What one call does once it knows its stage, its task and what came of items before."""

    def __init__(self, stage: Stage, task: Task, workspace: Workspace, lines: Lines) -> None:
        self._stage = stage
        self._task = task
        self._workspace = workspace
        self._lines = lines

    def run(self, before: Known, listener: Listener) -> Result:
        workspace, items = self._workspace, self._task.items
        try:
            names = names_of((entry.relpath for entry in items), self._task.request.name)
        except InvalidInput as error:
            raise wrong(self._stage, error.message, error.hint) from None
        keys = [TreeEntry(entry.relpath, entry.md5) for entry in items]
        parts = divide(keys, before, workspace.cache.exists)
        listener.started(len(items), len(parts.todo))
        files = [file for taken in parts.taken.values() for file in taken]
        failed: dict[str, str] = {}
        ran = 0
        for done in self._process(names, {item.relpath for item in parts.todo}):
            listener.ended(done)
            if done.problem is None:
                ran += 1
                files += done.files
            else:
                failed[done.item] = done.problem
        if not failed:
            digest = results.add_listing(workspace, files)
            workspace.cache.flush()
            checkout.checkout(workspace, digest, self._task.out.key)
        return Result(self._stage.address, len(items), len(parts.taken), ran, failed)

    def _process(self, names: Mapping[str, str], todo: set[str]) -> Iterator[Ended]:
        if not todo:
            return
        settings = self._stage.settings
        with working_place(self._workspace.config.local_dir) as place:
            yield from process_all(
                Worker(self._workspace, self._task, names, self._lines, place),
                [entry for entry in self._task.items if entry.relpath in todo],
                jobs=settings.each.jobs or settings.cpus,
                keep_going=settings.each.keep_going,
            )
