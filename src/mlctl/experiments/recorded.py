"""A run with its record: the code is captured before the first stage, the rest at the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlctl.adapters import clock
from mlctl.pipeline.events import Emit, Notice, RunFinished
from mlctl.pipeline.project import Project
from mlctl.pipeline.request import Options, Request, Where
from mlctl.pipeline.results import RunResult
from mlctl.pipeline.run import run
from mlctl.records.ulid import new_ulid, short_form

if TYPE_CHECKING:
    from mlctl.experiments.commit import CommitResult
    from mlctl.records.run import CodeState


_HERE = Where()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a run, and, where there are such, its record's key and the commit of it."""

    result: RunResult
    record: str | None = None
    commit: CommitResult | None = None


def run_and_record(
    project: Project,
    indices: Sequence[int],
    *,
    argv: Sequence[str],
    jobs: int,
    options: Options,
    emit: Emit,
    commit: bool,
    where: Where = _HERE,
    name: str | None = None,
    logs: bool = False,
) -> Recorded:
    """Run the stages and record what ran; nothing is recorded where all was up to date.

    Stages that name no place run `where` that says, or here.

    With `commit`, the record and the files that the run changed are committed, as
    `experiments.commit` says. `name` is the run's; `logs` keeps the end of each stage's log in the
    record.
    """
    run_id = new_ulid(clock.now(), os.urandom(10))
    request = Request(run_id, tuple(argv), tuple(indices), jobs, options, where)
    captured: list[CodeState | None] = []

    def capture() -> None:
        from mlctl.experiments.code import code_state

        products = {out.key for stage in project.stages for out in stage.outs if not out.cache}
        captured.append(code_state(project.root, products=products))

    result = run(project, request, emit, before_first=capture)
    recorded = Recorded(result)
    if result.touched:
        recorded = _record(project.root, result, captured[0], commit=commit, name=name, logs=logs)
        made = recorded.commit
        if made is not None and made.reason is not None:
            emit(Notice(f"the record is not committed: {made.reason}", "info"))
    counts: dict[str, int] = {}
    for stage in result.stages:
        counts[stage.outcome] = counts.get(stage.outcome, 0) + 1
    emit(RunFinished(counts, result.seconds, recorded.record))
    return recorded


def _record(
    root: str,
    result: RunResult,
    code: CodeState | None,
    *,
    commit: bool,
    name: str | None,
    logs: bool,
) -> Recorded:
    # Imported here: a run that finds nothing to do is asked for all the time, and needs none of it.
    from mlctl.experiments.adopting import adopt
    from mlctl.experiments.capture import write_record
    from mlctl.experiments.commit import commit_record
    from mlctl.experiments.environment import environment

    key = write_record(root, result, code, environment(), name=name, logs=logs)
    paths = [*_paths(key, result), *adopt(root)]
    made = commit_record(root, paths, _message(result)) if commit else None
    return Recorded(result, key, made)


def _paths(record: str, result: RunResult) -> list[str]:
    """The record, and what the run changed: locks, pointers, ignore files, outs in git."""
    outs = [out for done in result.stages for out in done.stage.outs if done.outcome != "unchanged"]
    in_git = [out.key for out in outs if not out.cache and not out.key.startswith("/")]
    return [record, "runs/_env", *result.written_files, *in_git]


def _message(result: RunResult) -> str:
    ran = [s.stage.address for s in result.stages if s.outcome in {"ran", "failed", "cancelled"}]
    shown = ", ".join(ran[:3]) + (f" and {len(ran) - 3} more" if len(ran) > 3 else "")
    return f"Record run {short_form(result.run_id)}: {shown} ({result.status})"
