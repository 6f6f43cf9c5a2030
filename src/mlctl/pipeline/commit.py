"""`mlctl commit`: what is in the workspace becomes what the stages are recorded to have made."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from mlctl.errors import InvalidInput
from mlctl.pipeline.attempt import Attempt
from mlctl.pipeline.context import Context
from mlctl.pipeline.events import Emit
from mlctl.pipeline.fingerprint import changes
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.plan import Step
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.request import Options
from mlctl.pipeline.spec import Stage


def commit(
    project: Project,
    indices: Sequence[int],
    emit: Emit,
    confirm: Callable[[Step], bool],
    *,
    force: bool = False,
) -> tuple[Step, ...]:
    """Put the outs of the stages into the cache, and record deps and outs as they are now.

    `confirm` is asked for each stage that is changed; `force` records all without asking. Returns
    the steps with what was changed. Raises InvalidInput where `confirm` says no, and AnswerNo for
    an out that is missing.
    """
    project.mend_locks(indices, emit)
    with open_workspace(project) as workspace:
        observer = Observer(project, workspace)
        steps = tuple(_to_record(project.stages[index], observer) for index in indices)
        for step in steps:
            if step.changed and not force and not confirm(step):
                raise InvalidInput(
                    f"{step.stage.address!r} is changed, and would be recorded as it is now",
                    hint="`mlctl run` brings it up to date; `--force` records it as it is",
                )
        stages = [step.stage for step in steps]
        context = Context.make(
            f"commit-{os.getpid()}", ["mlctl", "commit"], stages, observer, Options(), emit
        )
        for step in steps:
            attempt = Attempt(context, step.stage, step.reasons, ())
            with context.book.claim(step.stage, wait="DVC_STAGE" not in os.environ):
                attempt.commit(save=force or step.changed)
        context.book.close()
        workspace.cache.flush()
    return steps


def _to_record(stage: Stage, observer: Observer) -> Step:
    """What differs from the record of the stage: not being in the cache is no difference."""
    locked = observer.project.locked(stage)
    seen = observer.seen(stage, locked, ask_cache=False)
    return Step(stage, tuple(r for r in changes(stage, locked, seen) if r.kind != "always"))
