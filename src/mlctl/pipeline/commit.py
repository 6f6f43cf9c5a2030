"""`mlctl commit`: what is in the workspace becomes what the stages are recorded to have made."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from mlctl.errors import InvalidInput
from mlctl.pipeline.attempt import Attempt
from mlctl.pipeline.context import Context
from mlctl.pipeline.events import Emit
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.plan import Step
from mlctl.pipeline.planning import judge
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.request import Options


def commit(
    project: Project, indices: Sequence[int], emit: Emit, confirm: Callable[[Step], bool]
) -> tuple[Step, ...]:
    """Put the outs of the stages into the cache, and record deps and outs as they are now.

    `confirm` is asked for each stage that is changed. Returns the steps with what was changed.
    Raises InvalidInput where it says no, and AnswerNo for an out that is missing.
    """
    with open_workspace(project) as workspace:
        observer = Observer(project, workspace)
        steps = judge(observer, indices)
        for step in steps:
            if step.changed and not confirm(step):
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
                attempt.commit()
        context.book.close()
        workspace.cache.flush()
    return steps
